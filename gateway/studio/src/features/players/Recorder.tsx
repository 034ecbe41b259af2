import { Mic, Square } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Button } from '@/ui/Button';
import { Duration } from '@/ui/Time';
import styles from './Recorder.module.css';
import { type Recording, record, whyNot } from './recording';
import { type Limits, secondsOf } from './sample';

interface Props {
  limits: Limits;
  onRecorded: (sound: Blob) => void;
}

const EVERY_MS = 100;

/** Records a voice: level, time, and an end by itself when it is as long as it may be. */
export function Recorder({ limits: [least, most], onRecorded }: Props) {
  const recording = useRef<Recording | null>(null);
  const [began, setBegan] = useState<number | null>(null);
  const [now, setNow] = useState({ seconds: 0, level: 0 });
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => () => recording.current?.drop(), []);

  const finish = useRef(() => {});
  finish.current = () => {
    const ended = recording.current;
    recording.current = null;
    setBegan(null);
    void ended?.stop().then(async (sound) => {
      if ((await secondsOf(sound)) === null) setProblem('Nothing was recorded. Try again.');
      else onRecorded(sound);
    });
  };
  useEffect(() => {
    if (began === null) return;
    const timer = setInterval(() => {
      const seconds = (performance.now() - began) / 1000;
      setNow({ seconds, level: recording.current?.level() ?? 0 });
      if (seconds >= most - 0.5) finish.current();
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, [began, most]);

  const begin = async () => {
    setProblem(null);
    try {
      recording.current = await record();
      setNow({ seconds: 0, level: 0 });
      setBegan(performance.now());
    } catch (error) {
      setProblem(whyNot(error));
    }
  };
  return (
    <div className={styles.recorder}>
      {began === null ? (
        <Button icon={<Mic aria-hidden="true" />} onClick={() => void begin()}>
          Record
        </Button>
      ) : (
        <>
          <Button look="danger" icon={<Square aria-hidden="true" />} onClick={() => finish.current()}>
            Stop
          </Button>
          <span className={styles.meter} aria-hidden="true">
            <span style={{ transform: `scaleX(${now.level})` }} />
          </span>
          <span className={now.seconds < least ? styles.short : styles.enough}>
            <Duration seconds={now.seconds} />
          </span>
        </>
      )}
      <span role="status" className={problem ? styles.problem : 'unseen'}>
        {problem ?? (began === null ? '' : now.seconds < least ? 'Recording' : 'Long enough')}
      </span>
    </div>
  );
}
