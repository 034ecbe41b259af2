import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { type Budget, changeBudget, createBudget } from '@/api/budgets';
import { asProblem } from '@/api/problem';
import { AmountInput } from '@/ui/AmountInput';
import { nanosOf, writtenAmount } from '@/ui/amount';
import { ErrorCard } from '@/ui/ErrorCard';
import { Field } from '@/ui/Field';
import { FormDialog, type FormWires } from '@/ui/FormDialog';
import { Select } from '@/ui/Select';
import { TextInput } from '@/ui/TextInput';
import { type About, BudgetAbout } from './BudgetAbout';
import { PERIODS, thresholdsOf, USUAL_THRESHOLDS } from './budgetWords';
import forms from './forms.module.css';

interface Props {
  open: boolean;
  budget?: Budget;
  onDone: () => void;
  onClose: () => void;
}

const MODES = [
  { value: 'hard', label: 'Refuse what goes beyond it' },
  { value: 'soft', label: 'Only tell, and go on' },
];
const FIELDS = [
  'name',
  'limit_nanos',
  'thresholds',
  'project_id',
  'api_key_id',
  'provider',
  'period',
  'mode',
];

export function BudgetDialog({ open, budget, onDone, onClose }: Props) {
  return (
    <FormDialog
      open={open}
      title={budget ? 'Change the budget' : 'New budget'}
      action={budget ? 'Save' : 'Set the budget'}
      onClose={onClose}
    >
      {(wires) => <BudgetForm {...wires} budget={budget} onDone={onDone} />}
    </FormDialog>
  );
}

interface FormProps extends FormWires {
  budget?: Budget;
  onDone: () => void;
}

function BudgetForm({ id, budget, onBusy, onDone }: FormProps) {
  const [about, setAbout] = useState<About>({ scope: 'account', which: '' });
  const [name, setName] = useState(budget?.name ?? '');
  const [period, setPeriod] = useState<string>(budget?.period ?? 'month');
  const [mode, setMode] = useState<string>(budget?.mode ?? 'hard');
  const [limit, setLimit] = useState(budget ? writtenAmount(budget.limit.nanos) : '');
  const [written, setWritten] = useState(budget?.thresholds.join(', ') ?? USUAL_THRESHOLDS);
  const [tried, setTried] = useState(false);
  const nanos = nanosOf(limit);
  const thresholds = thresholdsOf(written);
  const save = useMutation({
    mutationFn: async () => {
      const words = {
        name: name.trim() || null,
        mode: mode as Budget['mode'],
        limit_nanos: nanos ?? 0,
        thresholds: thresholds ?? [],
      };
      if (budget) await changeBudget(budget.id, words);
      else await createBudget({ ...words, ...scopeOf(about), period: period as Budget['period'] });
    },
    onMutate: () => onBusy(true),
    onSettled: () => onBusy(false),
    onSuccess: onDone,
  });
  const problem = save.error ? asProblem(save.error) : null;
  const lacks = about.scope !== 'account' && about.which === '' && !budget;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (nanos !== null && thresholds !== null && !lacks && !save.isPending) save.mutate();
  };
  return (
    <form id={id} onSubmit={submit} className={forms.form} noValidate>
      {!budget && (
        <BudgetAbout
          about={about}
          onChange={setAbout}
          error={
            problem?.of('project_id') ??
            problem?.of('api_key_id') ??
            problem?.of('provider') ??
            (tried && lacks ? 'Choose one.' : null)
          }
        />
      )}
      <div className={forms.pair}>
        <Field
          label="Limit in dollars"
          error={
            problem?.of('limit_nanos') ?? (tried && nanos === null ? 'Write an amount, such as 20.' : null)
          }
        >
          {(wires) => (
            <AmountInput {...wires} value={limit} onChange={(event) => setLimit(event.target.value)} />
          )}
        </Field>
        <Field label="Counted" error={problem?.of('period')}>
          {(wires) => (
            <Select
              {...wires}
              value={period}
              options={PERIODS}
              disabled={budget !== undefined}
              onChange={setPeriod}
            />
          )}
        </Field>
      </div>
      <Field label="When it is reached" error={problem?.of('mode')}>
        {(wires) => <Select {...wires} value={mode} options={MODES} onChange={setMode} />}
      </Field>
      <Field
        label="Tell me at (percent)"
        error={problem?.of('thresholds') ?? (thresholds ? null : 'Write whole numbers, such as 50, 80, 100.')}
      >
        {(wires) => (
          <TextInput {...wires} value={written} onChange={(event) => setWritten(event.target.value)} />
        )}
      </Field>
      <Field label="Name" hint="It may stay empty." error={problem?.of('name')}>
        {(wires) => (
          <TextInput
            {...wires}
            maxLength={255}
            autoComplete="off"
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      {problem && !FIELDS.some((field) => problem.of(field)) && <ErrorCard error={problem} />}
    </form>
  );
}

function scopeOf({ scope, which }: About) {
  return {
    scope,
    ...(scope === 'project' && { project_id: which }),
    ...(scope === 'key' && { api_key_id: which }),
    ...(scope === 'provider' && { provider: which }),
  };
}
