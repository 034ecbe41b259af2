import { useApiKeys } from '@/api/apiKeys';
import type { Budget } from '@/api/budgets';
import { useProjectChoices } from '@/api/projects';
import { useProviderSettings } from '@/api/providers';
import { Field } from '@/ui/Field';
import { Select } from '@/ui/Select';
import forms from './forms.module.css';

export interface About {
  scope: Budget['scope'];
  /** The id or name of what it is for; empty for the account. */
  which: string;
}

interface Props {
  about: About;
  error: string | null;
  onChange: (about: About) => void;
}

const SCOPES = [
  { value: 'account', label: 'Everything' },
  { value: 'project', label: 'A project' },
  { value: 'key', label: 'An API key' },
  { value: 'provider', label: 'A provider' },
];
const WHICH = { account: '', project: 'Which project', key: 'Which key', provider: 'Which provider' };

/** What a budget is for. */
export function BudgetAbout({ about, error, onChange }: Props) {
  const projects = useProjectChoices().data ?? [];
  const keys = useApiKeys().data ?? [];
  const providers = useProviderSettings().data?.providers ?? [];
  const choices = {
    account: [],
    project: projects.map((one) => ({ value: one.id, label: one.name })),
    key: keys.filter((one) => !one.revoked_at).map((one) => ({ value: one.id, label: one.name })),
    provider: providers.map((one) => ({ value: one.provider, label: one.provider })),
  };
  return (
    <div className={forms.pair}>
      <Field label="For">
        {(wires) => (
          <Select
            {...wires}
            value={about.scope}
            options={SCOPES}
            onChange={(scope) => onChange({ scope: scope as About['scope'], which: '' })}
          />
        )}
      </Field>
      {about.scope !== 'account' && (
        <Field label={WHICH[about.scope]} error={error}>
          {(wires) => (
            <Select
              {...wires}
              value={about.which}
              options={[{ value: '', label: 'Choose', disabled: true }, ...choices[about.scope]]}
              onChange={(which) => onChange({ ...about, which })}
            />
          )}
        </Field>
      )}
    </div>
  );
}
