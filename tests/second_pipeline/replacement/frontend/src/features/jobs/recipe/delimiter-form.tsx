// The form for the delimiter of the next tables.
import type { Recipe } from "@/api/types";
import type { RecipeFormProps } from "./index";

const DELIMITERS: Recipe["delimiter"][] = [",", ";"];

export function DelimiterForm({ recipe, onChange }: RecipeFormProps) {
  return (
    <fieldset>
      <legend>Separator</legend>
      {DELIMITERS.map((delimiter) => (
        <label key={delimiter}>
          <input
            type="radio"
            name="delimiter"
            checked={recipe.delimiter === delimiter}
            onChange={() => onChange({ ...recipe, delimiter })}
          />
          {delimiter}
        </label>
      ))}
    </fieldset>
  );
}
