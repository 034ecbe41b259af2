import type { FormField } from '../fields';

/** What every control of a form gets. */
export interface ControlProps {
  kind: string;
  field: FormField;
  /** Undefined is left to the model. */
  value: unknown;
  error: string | null;
  onChange: (value: unknown) => void;
}
