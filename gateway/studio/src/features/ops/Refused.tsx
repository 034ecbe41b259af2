import styles from './Dialogs.module.css';
import { counted } from './words';

/** Those that an action could not be done to, and why. */
export function Refused({ refused }: { refused: readonly { id: string; code: string; message: string }[] }) {
  if (refused.length === 0) return null;
  return (
    <div>
      <p>{counted(refused.length, 'job')} could not be done:</p>
      <ul className={styles.refused}>
        {refused.map((one) => (
          <li key={one.id}>
            {one.message} <code>{one.code}</code>
          </li>
        ))}
      </ul>
    </div>
  );
}
