import { useModels } from '@/api/models';
import type { ProviderSettings } from '@/api/providers';
import { KINDS, type Kind } from '@/features/create/kinds';
import { Field } from '@/ui/Field';
import { Select } from '@/ui/Select';
import { Switch } from '@/ui/Switch';
import forms from './forms.module.css';
import { useProviderChanges } from './providerChanges';
import { Section } from './Section';

/** What serves a request that names no model, and whether another may step in. */
export function ProviderDefaults({ settings }: { settings: ProviderSettings }) {
  const change = useProviderChanges();
  const choose = (kind: string, model: string) => {
    const { [kind]: _, ...others } = settings.defaults;
    const defaults = model ? { ...others, [kind]: model } : others;
    change.mutate({ changes: { defaults }, shown: { ...settings, defaults } });
  };
  return (
    <Section title="Defaults" about="For requests that name no model.">
      <div className={forms.pair}>
        {KINDS.map((kind) => (
          <DefaultModel
            key={kind.name}
            kind={kind}
            chosen={settings.defaults[kind.name] ?? ''}
            onChoose={(model) => choose(kind.name, model)}
          />
        ))}
      </div>
      <Switch
        label="Fall back to another provider"
        hint="When the first cannot serve, the next one in the order is tried."
        checked={settings.fallbacks}
        onChange={(fallbacks) => change.mutate({ changes: { fallbacks }, shown: { ...settings, fallbacks } })}
      />
    </Section>
  );
}

interface Props {
  kind: Kind;
  chosen: string;
  onChoose: (model: string) => void;
}

function DefaultModel({ kind, chosen, onChoose }: Props) {
  const models = useModels(kind.name).data ?? [];
  const options = models.map((one) => ({ value: one.aliases[0] ?? one.id, label: one.label }));
  const known = chosen === '' || options.some((one) => one.value === chosen);
  const named = new Map(
    [...options, ...(known ? [] : [{ value: chosen, label: chosen }])].map((one) => [one.value, one]),
  );
  return (
    <Field label={kind.label}>
      {(wires) => (
        <Select
          {...wires}
          value={chosen}
          options={[{ value: '', label: 'The best that is available' }, ...named.values()]}
          onChange={onChoose}
        />
      )}
    </Field>
  );
}
