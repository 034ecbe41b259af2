import { Field } from '@/ui/Field';
import { TextArea } from '@/ui/TextArea';
import { HINTS } from './PromptControl';

/** Keeps the line that counts characters. */
const NO_COUNT = '\u00a0';

/** Where the prompt will be: what people look for first is painted before any model is known. */
export function PromptPlace({ kind }: { kind: string }) {
  return (
    <div inert>
      <Field label={kind === 'audio' ? 'Text' : 'Prompt'} hint={kind === 'text' ? undefined : NO_COUNT}>
        {(wires) => <TextArea {...wires} readOnly placeholder={HINTS[kind]} />}
      </Field>
    </div>
  );
}
