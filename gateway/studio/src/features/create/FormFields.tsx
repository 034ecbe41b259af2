import { ChevronRight } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { Switch } from '@/ui/Switch';
import styles from './CreateForm.module.css';
import { changeDraft, type Draft } from './drafts';
import type { FormField } from './fields';
import { Control } from './fields/Control';
import { ShapeControl } from './fields/ShapeControl';
import { ProjectControl } from './ProjectControl';
import { PromptControl } from './PromptControl';
import { promptField } from './recipes';
import { TimesControl } from './TimesControl';
import { isBlank } from './values';

interface Props {
  kind: string;
  fields: readonly FormField[];
  draft: Draft;
  /** Whether other models could do it in place of the chosen one. */
  canStandIn: boolean;
  /** The choice of the model, below the prompt. */
  children: ReactNode;
  errorOf: (name: string) => string | null;
  onChange: (name: string, value: unknown) => void;
}

/** Drawn together as the shape, by `TimesControl`, or not asked for in a form at all. */
const ELSEWHERE = new Set(['count', 'size', 'aspect_ratio', 'messages']);
/** Asked for only when there is what they are about. */
const WITH: Readonly<Record<string, string>> = { consent: 'voice_sample', images: 'image', mask: 'image' };

/** The fields of a model: what matters most first, the rest in a drawer. */
export function FormFields({ kind, fields, draft, canStandIn, errorOf, onChange, children }: Props) {
  const { values } = draft;
  const prompt = promptField(fields);
  const named = (name: string) => fields.find((field) => field.name === name);
  const [ratio, size] = [named('aspect_ratio'), named('size')];
  const shown = fields.filter(
    ({ name }) =>
      name !== prompt?.name && !ELSEWHERE.has(name) && (!WITH[name] || !isBlank(values[WITH[name]])),
  );
  const control = (field: FormField) => (
    <Control
      key={field.name}
      kind={kind}
      field={field}
      value={values[field.name]}
      error={errorOf(field.name)}
      onChange={(value) => onChange(field.name, value)}
    />
  );
  const advanced = shown.filter((field) => field.advanced);
  const changed = advanced.filter((field) => !isBlank(values[field.name])).length;
  const [opened] = useState(changed > 0);
  return (
    <>
      {prompt && (
        <PromptControl
          kind={kind}
          field={prompt}
          value={values[prompt.name]}
          error={errorOf(prompt.name)}
          onChange={(value) => onChange(prompt.name, value)}
        />
      )}
      {children}
      {shown.filter((field) => !field.advanced).map(control)}
      {(ratio || size) && (
        <ShapeControl
          kind={kind}
          ratio={ratio}
          size={size}
          values={values}
          error={errorOf('aspect_ratio') ?? errorOf('size')}
        />
      )}
      <TimesControl kind={kind} times={draft.times} />
      <ProjectControl kind={kind} chosen={draft.project} />
      {(advanced.length > 0 || canStandIn) && (
        <details className={styles.drawer} open={opened}>
          <summary>
            <ChevronRight aria-hidden="true" />
            Advanced
            {changed > 0 && <span className={styles.changed}>{changed} set</span>}
          </summary>
          <div className={styles.inner}>
            {advanced.map(control)}
            {canStandIn && (
              <Switch
                label="Let others stand in"
                hint="When the model cannot, another that serves the same product may."
                checked={draft.standIns}
                onChange={(standIns) => changeDraft(kind, { standIns })}
              />
            )}
          </div>
        </details>
      )}
    </>
  );
}
