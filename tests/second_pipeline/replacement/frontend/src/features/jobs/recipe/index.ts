// This product's recipe: CSV tables.
import type { ComponentType } from "react";
import type { Facts, Job, Recipe, RecipeSchema } from "@/api/types";
import { DelimiterForm } from "./delimiter-form";

export interface RecipeFormProps {
  schema: RecipeSchema;
  recipe: Recipe;
  onChange: (recipe: Recipe) => void;
}

export const RecipeForm: ComponentType<RecipeFormProps> = DelimiterForm;

export const firstRecipe = (_schema: RecipeSchema): Recipe => ({ delimiter: "," });

export const describeRecipe = ({ delimiter }: Job["recipe"]): string => `separated by ${delimiter}`;

export const describeFacts = ({ rows }: Facts): string =>
  typeof rows === "number" ? `${rows} rows` : "";

export const describeRefusal = (_file: File): string | null => null;

export const Placeholder: ComponentType = () => null;

export const TEXTS = {
  title: "A table in, its statistics out",
  chooseFiles: "Choose tables",
  noJobsYet: "Choose a table, and its statistics will be here a moment later.",
};
