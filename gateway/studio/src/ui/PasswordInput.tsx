import { Eye, EyeOff } from 'lucide-react';
import { type ComponentProps, useState } from 'react';
import { IconButton } from './Button';
import styles from './PasswordInput.module.css';
import { TextInput } from './TextInput';

/** A secret that one types; it can be looked at. Say which it is with `autoComplete`. */
export function PasswordInput(props: ComponentProps<'input'>) {
  const [shown, setShown] = useState(false);
  return (
    <div className={styles.box}>
      <TextInput spellCheck={false} autoCapitalize="none" {...props} type={shown ? 'text' : 'password'} />
      <IconButton
        size="sm"
        name={shown ? 'Hide what is typed' : 'Show what is typed'}
        icon={shown ? <EyeOff /> : <Eye />}
        className={styles.eye}
        onClick={() => setShown(!shown)}
      />
    </div>
  );
}
