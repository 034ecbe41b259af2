import type { Model } from '@/api/client';
import { fieldsOf, titleOf } from './fields';
import { InlineButton } from './InlineButton';
import styles from './LeftOut.module.css';
import { leftOut, type Values } from './values';

interface Props {
  model: Model | undefined;
  models: readonly Model[];
  values: Values;
  onChoose: (model: Model) => void;
}

/** What was chosen and the model does not take, and a model that takes all of it. */
export function LeftOut({ model, models, values, onChoose }: Props) {
  const names = model ? leftOut(values, fieldsOf(model.parameters)) : [];
  const better =
    names.length > 0 &&
    models.find((one) => one.available && leftOut(values, fieldsOf(one.parameters)).length === 0);
  return (
    <p role="status" className={names.length > 0 ? styles.note : 'unseen'}>
      {names.length > 0 && (
        <>
          {model?.label} does not take: {names.map(titleOf).join(', ')}. Kept for a model that does.{' '}
          {better && <InlineButton onClick={() => onChoose(better)}>Use {better.label}</InlineButton>}
        </>
      )}
    </p>
  );
}
