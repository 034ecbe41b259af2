import { Field } from '@/ui/Field';
import { TextArea } from '@/ui/TextArea';
import { HINTS } from './PromptControl';

/** Where the prompt will be: what people look for first is painted before any model is known. */
export function PromptPlace({ kind }: { kind: string }) {
  return (
    <div inert>
      <Field label={kind === 'audio' ? 'Text' : 'Prompt'} hint={kind === 'text' ? undefined : ' '}>
        {(wires) => <TextArea {...wires} readOnly placeholder={HINTS[kind]} />}
      </Field>
    </div>
  );
}
