import { useId } from 'react';
import { Select } from '@/ui/Select';
import { TextInput } from '@/ui/TextInput';
import { frame, sides, USUAL_SIZES } from '../dimensions';
import { setValue } from '../drafts';
import type { FormField } from '../fields';
import type { Values } from '../values';
import choice from './ChoiceControl.module.css';
import styles from './ShapeControl.module.css';

interface Props {
  kind: string;
  ratio: FormField | undefined;
  size: FormField | undefined;
  values: Values;
  error: string | null;
}

const FRAME_PX = 22;

/** The shape of a picture, as pictures; the exact size for whoever needs it. They exclude each other. */
export function ShapeControl({ kind, ratio, size, values, error }: Props) {
  const name = useId();
  const exact = typeof values.size === 'string';
  const chosen = exact ? null : (values.aspect_ratio ?? ratio?.default ?? '');
  const auto = ratio && ratio.default === null ? [{ value: '', label: 'Auto' }] : [];
  return (
    <fieldset className={choice.group}>
      <legend className={choice.legend}>Shape</legend>
      {ratio && (
        <div className={styles.shapes}>
          {[...auto, ...ratio.choices].map((one) => (
            <label key={one.value} className={styles.shape} title={one.label}>
              <input
                type="radio"
                className="unseen"
                name={name}
                checked={one.value === chosen}
                onChange={() => {
                  setValue(kind, 'size', undefined);
                  setValue(kind, 'aspect_ratio', one.value === ratio.default ? undefined : one.value);
                }}
              />
              <span className={styles.stage} aria-hidden="true">
                <span
                  className={one.value === '' ? styles.auto : styles.frame}
                  style={frame(String(one.value || '1:1'), FRAME_PX)}
                />
              </span>
              <span className="unseen">{one.label}</span>
              <span aria-hidden="true">{one.value || 'Auto'}</span>
            </label>
          ))}
        </div>
      )}
      {size && <Exact kind={kind} size={size} value={exact ? String(values.size) : ''} />}
      {error && <p className={choice.error}>{error}</p>}
    </fieldset>
  );
}

/** A size in pixels: one of those that a model has, else any, with usual ones to choose from. */
function Exact({ kind, size, value }: { kind: string; size: FormField; value: string }) {
  const id = useId();
  const pick = (text: string) => setValue(kind, 'size', text.replaceAll(/\s*[×*]\s*/g, 'x'));
  if (size.choices.length > 0) {
    const options = size.choices.map((one) => ({ value: String(one.value), label: String(one.value) }));
    return (
      <Select
        aria-label="Exact size in pixels"
        className={styles.exact}
        value={value}
        options={[{ value: '', label: 'Exact size: auto' }, ...options]}
        onChange={pick}
      />
    );
  }
  const wrong = value !== '' && sides(value) === null;
  return (
    <>
      <TextInput
        aria-label="Exact size in pixels, width x height"
        aria-invalid={wrong || undefined}
        className={styles.exact}
        list={id}
        value={value}
        placeholder="Exact size, such as 1024x768"
        onChange={(event) => pick(event.target.value)}
      />
      <datalist id={id}>
        {USUAL_SIZES.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
    </>
  );
}
