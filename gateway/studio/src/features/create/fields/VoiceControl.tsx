import { useQuery } from '@tanstack/react-query';
import { FileAudio } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import { Recorder } from '@/features/players/Recorder';
import { SoundPlayer } from '@/features/players/SoundPlayer';
import { shapeOf } from '@/features/players/sample';
import { Button } from '@/ui/Button';
import { useDraft } from '../drafts';
import { bring, useTransfers } from '../transfers';
import { bringVoice } from '../voices';
import choice from './ChoiceControl.module.css';
import type { ControlProps } from './control';
import { FileChip } from './FileChip';
import { PickFile } from './PickFile';
import { TransferChip } from './TransferChip';
import styles from './VoiceControl.module.css';

const USUAL_LIMITS = [10, 30] as const;

/** A voice to speak with: recorded here or from a file, listened to, and measured before it is sent. */
export function VoiceControl({ kind, field, value, error, onChange }: ControlProps) {
  const { files } = useDraft(kind);
  const transfers = useTransfers().filter((one) => one.kind === kind && one.field === field.name);
  const [take, setTake] = useState<File | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const limits = field.seconds ?? USUAL_LIMITS;
  const offer = async (file: File) => {
    setTake(null);
    const refused = await bringVoice(kind, field.name, file, limits, 'check');
    setProblem(refused);
    if (!refused) setTake(file);
  };
  const chosen = typeof value === 'string' ? value : null;
  return (
    <fieldset className={choice.group}>
      <legend className={choice.legend}>{field.title}</legend>
      <div className={styles.voice}>
        {chosen && <FileChip reference={chosen} note={files[chosen]} onRemove={() => onChange(undefined)} />}
        {transfers.map((transfer) => (
          <TransferChip key={transfer.id} transfer={transfer} />
        ))}
        {take && (
          <Take
            file={take}
            onUse={() => {
              bring(kind, field.name, take);
              setTake(null);
            }}
            onAgain={() => setTake(null)}
          />
        )}
        {!chosen && !take && transfers.length === 0 && (
          <div className={styles.ways}>
            <Recorder
              limits={limits}
              onRecorded={(sound) => void offer(new File([sound], nameFor(sound.type), { type: sound.type }))}
            />
            <PickFile
              name={`${field.title}: file`}
              accept={field.accept.join(',') || 'audio/*'}
              onPick={([file]) => file && void offer(file)}
            >
              <FileAudio aria-hidden="true" />
              Choose a file
            </PickFile>
          </div>
        )}
        <p className={problem || error ? choice.error : styles.hint} role={problem ? 'alert' : undefined}>
          {problem ?? error ?? `One person speaking, ${limits[0]} to ${limits[1]} s.`}
        </p>
      </div>
    </fieldset>
  );
}

/** What was recorded or chosen, to hear it before it is sent. */
function Take({ file, onUse, onAgain }: { file: File; onUse: () => void; onAgain: () => void }) {
  const address = useMemo(() => URL.createObjectURL(file), [file]);
  useEffect(() => () => URL.revokeObjectURL(address), [address]);
  const { data: shape } = useQuery({ queryKey: ['take', address], queryFn: () => shapeOf(file), gcTime: 0 });
  return (
    <div className={styles.take}>
      <SoundPlayer
        url={address}
        title="Your sample"
        peaks={shape ?? undefined}
        durationS={shape?.duration_s}
      />
      <div className={styles.ways}>
        <Button size="sm" look="primary" onClick={onUse}>
          Use this sample
        </Button>
        <Button size="sm" onClick={onAgain}>
          Again
        </Button>
      </div>
    </div>
  );
}

function nameFor(mime: string): string {
  return `voice.${mime.includes('mp4') ? 'm4a' : mime.includes('ogg') ? 'ogg' : 'webm'}`;
}
