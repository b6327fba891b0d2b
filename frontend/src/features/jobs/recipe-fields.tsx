// The choice of what the studio makes of the next photos.
import "./recipe-form.css";
import type { Recipe } from "@/api/types";
import { TextField } from "@/components/text-field";
import { PRESETS } from "./job-text";

interface RecipeFieldsProps {
  recipe: Recipe;
  onChange: (recipe: Recipe) => void;
}

const NAMES = Object.keys(PRESETS) as Recipe["preset"][];

export function RecipeFields({ recipe, onChange }: RecipeFieldsProps) {
  return (
    <>
      <fieldset className="presets">
        <legend>What do you need?</legend>
        {NAMES.map((preset) => (
          <label key={preset} className="choice">
            <input
              type="radio"
              name="preset"
              value={preset}
              checked={recipe.preset === preset}
              onChange={() => onChange({ ...recipe, preset })}
            />
            <span>
              <strong>{PRESETS[preset].name}</strong>
              <small>{PRESETS[preset].explanation}</small>
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
          <small>Automatic levels and a mild sharpening.</small>
        </span>
      </label>
      <TextField
        label="Watermark"
        placeholder="None"
        maxLength={80}
        value={recipe.watermark ?? ""}
        onChange={(event) => onChange({ ...recipe, watermark: event.target.value || null })}
      />
    </>
  );
}
