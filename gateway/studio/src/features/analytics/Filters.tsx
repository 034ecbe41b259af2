import { useMutation } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { type Asked, fetchCsv, type Report } from '@/api/analytics';
import { Field } from '@/ui/Field';
import { Menu } from '@/ui/Menu';
import { Select } from '@/ui/Select';
import { save } from '@/ui/save';
import { TextInput } from '@/ui/TextInput';
import { sayProblem } from '@/ui/toasts';
import styles from './Filters.module.css';
import { type By, PARTS, PRESETS, type Range, type ReportSearch, STEPS, type Step } from './range';

interface Props {
  range: Range;
  step: Step;
  by: By;
  now: string;
  asked: Asked;
  inProject: boolean;
  onSearch: (change: ReportSearch) => void;
}

const LABELS: Record<By | Step, string> = {
  provider: 'Provider',
  model: 'Model',
  kind: 'Kind',
  project: 'Project',
  day: 'Days',
  week: 'Weeks',
  month: 'Months',
};
const asOptions = (names: readonly (By | Step)[]) => names.map((value) => ({ value, label: LABELS[value] }));

/** Which days, in which steps, split by what; and all of it as files. */
export function Filters({ range, step, by, now, asked, inProject, onSearch }: Props) {
  const presets = [
    ...PRESETS.map(({ name, label }) => ({ value: name, label })),
    { value: 'own', label: 'Own days', disabled: range.preset !== 'own' },
  ];
  const parts = inProject ? PARTS.filter((part) => part !== 'project') : PARTS;
  const csv = useMutation({
    mutationFn: async ({ report, more }: { report: Report; more: Partial<Asked> }) => {
      const blob = await fetchCsv(report, { ...asked, ...more });
      save(blob, `penstock-${report}-${range.from}-${range.to}.csv`);
    },
    onError: sayProblem,
  });
  const file = (label: string, report: Report, more: Partial<Asked>) => ({
    label,
    run: () => csv.mutate({ report, more }),
  });
  return (
    <div className={styles.filters}>
      <Field label="Time">
        {(wires) => (
          <Select
            {...wires}
            value={range.preset}
            options={presets}
            onChange={(name) => {
              const preset = PRESETS.find((one) => one.name === name);
              if (preset) onSearch(preset.of(now));
            }}
          />
        )}
      </Field>
      <Field label="From">
        {(wires) => (
          <TextInput
            {...wires}
            type="date"
            value={range.from}
            max={range.to}
            onChange={(event) => event.target.value && onSearch({ from: event.target.value, to: range.to })}
          />
        )}
      </Field>
      <Field label="To">
        {(wires) => (
          <TextInput
            {...wires}
            type="date"
            value={range.to}
            min={range.from}
            max={now}
            onChange={(event) => event.target.value && onSearch({ from: range.from, to: event.target.value })}
          />
        )}
      </Field>
      <Field label="In steps of">
        {(wires) => (
          <Select
            {...wires}
            value={step}
            options={asOptions(STEPS)}
            onChange={(value) => onSearch({ step: value as Step })}
          />
        )}
      </Field>
      <Field label="Split by">
        {(wires) => (
          <Select
            {...wires}
            value={by}
            options={asOptions(parts)}
            onChange={(value) => onSearch({ by: value as By })}
          />
        )}
      </Field>
      <Menu
        name="Download as CSV"
        className={styles.download}
        button={
          <>
            <Download aria-hidden="true" />
            CSV
          </>
        }
        items={[
          file('Cost over time', 'cost', { group_by: step }),
          file(`Cost by ${by}`, 'cost', { group_by: by }),
          file('Requests over time', 'usage', { group_by: step }),
          file('Providers compared', 'provider', {}),
        ]}
      />
    </div>
  );
}
