import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { say } from '@/ui/toasts';
import { useFileDrop } from './dropping';
import styles from './FileDrop.module.css';
import { useImport } from './importing';
import { obvious, type Purpose, purposesOf } from './purposes';
import { RECIPE_NAME, recipeIn } from './recipes';
import { bring } from './transfers';
import { bringVoice } from './voices';

const VOICE_SECONDS = [10, 30] as const;

interface Question {
  file: File;
  purposes: readonly Purpose[];
  /** It carries the settings that it was made with. */
  tells: boolean;
}

/** Takes pictures, sounds and settings files that are dropped or pasted anywhere, and asks what they are for. */
export function FileDrop({ kind }: { kind: string }) {
  const navigate = useNavigate();
  const takeRecipe = useImport();
  const [question, setQuestion] = useState<Question | null>(null);
  const use = async (file: File, { kind: to, field }: Purpose) => {
    setQuestion(null);
    if (to !== kind) await navigate({ to: '/studio/create/$kind', params: { kind: to } });
    if (field !== 'voice_sample') return bring(to, field, file);
    const refused = await bringVoice(to, field, file, VOICE_SECONDS);
    if (refused) say(`${file.name} cannot be a voice sample. ${refused}`, 'bad');
  };
  const take = async ([file, ...others]: readonly File[]) => {
    if (!file) return;
    if (others.length > 0) say(`One file at a time: ${file.name} it is.`);
    if (RECIPE_NAME.test(file.name)) return void takeRecipe(file);
    const purposes = purposesOf(file.type, kind);
    if (purposes.length === 0) {
      say(`${file.name || 'This'} is no picture, no sound and no settings file.`, 'bad');
      return;
    }
    const tells = (await recipeIn(file)) !== null;
    const purpose = obvious(purposes, kind);
    if (purpose && !tells) void use(file, purpose);
    else setQuestion({ file, purposes, tells });
  };
  const over = useFileDrop((files) => void take(files));
  return (
    <>
      {over && (
        <div className={styles.veil} aria-hidden="true">
          <p>Drop a picture, a voice or a settings file</p>
        </div>
      )}
      <Dialog open={question !== null} size="sm" title="What is it for?" onClose={() => setQuestion(null)}>
        <p className={styles.name}>{question?.file.name}</p>
        <div className={styles.purposes}>
          {question?.tells && (
            <Button
              look="primary"
              onClick={() => {
                setQuestion(null);
                void takeRecipe(question.file);
              }}
            >
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
    </>
  );
}
