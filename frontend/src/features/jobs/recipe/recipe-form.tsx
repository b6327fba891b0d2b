// The form for the preset and the options of new photos.
import "./recipe-form.css";
import type { Recipe, RecipeSchema } from "@/api/types";
import { TextField } from "@/components/text-field";
import type { RecipeFormProps } from "./index";
import { describePreset } from "./recipe-text";

// The parts of the JSON Schema that the form reads.
interface PhotoSchema {
  properties: {
    preset: { enum: Recipe["preset"][]; default: Recipe["preset"] };
    watermark: { anyOf: { maxLength?: number }[] };
  };
}

export function firstRecipe(schema: RecipeSchema): Recipe {
  return { preset: fieldsOf(schema).preset.default, enhance: true, watermark: null };
}

export function RecipeForm({ schema, recipe, onChange }: RecipeFormProps) {
  const { preset: presets, watermark } = fieldsOf(schema);
  return (
    <>
      <fieldset className="presets">
        <legend>What do you need?</legend>
        {presets.enum.map((preset) => (
          <label key={preset} className="choice">
            <input
              type="radio"
              name="preset"
              value={preset}
              checked={recipe.preset === preset}
              onChange={() => onChange({ ...recipe, preset })}
            />
            <span>
              <strong>{describePreset(preset).name}</strong>
              <small>{describePreset(preset).explanation}</small>
            </span>
          </label>
        ))}
      </fieldset>
      <label className="choice choice-plain">
        <input
          type="checkbox"
          checked={recipe.enhance}
          onChange={(event) => onChange({ ...recipe, enhance: event.target.checked })}
        />
        <span>
          <strong>Enhance</strong>
          <small>Automatic levels and mild sharpening.</small>
        </span>
      </label>
      <TextField
        label="Watermark"
        placeholder="None"
        maxLength={watermark.anyOf.find(({ maxLength }) => maxLength)?.maxLength}
        value={recipe.watermark ?? ""}
        onChange={(event) => onChange({ ...recipe, watermark: event.target.value || null })}
      />
    </>
  );
}

function fieldsOf(schema: RecipeSchema): PhotoSchema["properties"] {
  return (schema as unknown as PhotoSchema).properties;
}
