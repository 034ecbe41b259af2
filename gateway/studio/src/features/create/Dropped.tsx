import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { say } from '@/ui/toasts';
import styles from './Dropped.module.css';
import { useImport } from './importing';
import { lastKind } from './kinds';
import { obvious, type Purpose, purposesOf } from './purposes';
import { RECIPE_NAME, recipeIn } from './recipes';
import { bring } from './transfers';
import { bringVoice } from './voices';

const VOICE_SECONDS = [10, 30] as const;

interface Props {
  files: readonly File[];
  /** The form that is in sight; null where there is none. */
  kind: string | null;
  onDone: () => void;
}

interface Question {
  file: File;
  purposes: readonly Purpose[];
  /** It carries the settings that it was made with. */
  tells: boolean;
}

/** Puts what was dropped or pasted where it belongs, and asks where nobody can know; without a form in sight, always. */
export function Dropped({ files, kind, onDone }: Props) {
  const navigate = useNavigate();
  const takeRecipe = useImport();
  const [question, setQuestion] = useState<Question | null>(null);
  const begun = useRef(false);
  const use = async (file: File, { kind: to, field }: Purpose) => {
    onDone();
    if (to !== kind) await navigate({ to: '/studio/create/$kind', params: { kind: to } });
    if (field !== 'voice_sample') return bring(to, field, file);
    const refused = await bringVoice(to, field, file, VOICE_SECONDS);
    if (refused) say(`${file.name} cannot be a voice sample. ${refused}`, 'bad');
  };
  const fillFrom = (file: File) => {
    onDone();
    void takeRecipe(file);
  };
  const take = async () => {
    const [file, ...others] = files;
    if (!file) return onDone();
    if (others.length > 0) say(`One file at a time: ${file.name} it is.`);
    const tells = (await recipeIn(file)) !== null;
    if (RECIPE_NAME.test(file.name)) {
      if (kind === null && tells) setQuestion({ file, purposes: [], tells });
      else fillFrom(file);
      return;
    }
    const purposes = purposesOf(file.type, kind ?? lastKind());
    if (purposes.length === 0) {
      say(`${file.name || 'This'} is no picture, no sound and no settings file.`, 'bad');
      return onDone();
    }
    const purpose = kind === null ? null : obvious(purposes, kind);
    if (purpose && !tells) void use(file, purpose);
    else setQuestion({ file, purposes, tells });
  };
  useEffect(() => {
    if (!begun.current) void take();
    begun.current = true;
  });
  return (
    <Dialog open={question !== null} size="sm" title="What is it for?" onClose={onDone}>
      <p className={styles.name}>{question?.file.name}</p>
      <div className={styles.purposes}>
        {question?.tells && (
          <Button look="primary" onClick={() => fillFrom(question.file)}>
            Fill the form as it was made
          </Button>
        )}
        {question?.purposes.map((purpose) => (
          <Button key={purpose.kind} onClick={() => void use(question.file, purpose)}>
            {purpose.label}
          </Button>
        ))}
      </div>
    </Dialog>
  );
}
