import { useState } from 'react';
import type { ProviderHealth, ProviderSetting, ProviderSettings } from '@/api/providers';
import { moved } from './order';
import styles from './ProviderOrder.module.css';
import { ProviderRow } from './ProviderRow';
import { useProviderChanges } from './providerChanges';
import { Section } from './Section';

interface Props {
  settings: ProviderSettings;
  health: ProviderHealth[] | undefined;
}

/** Who is asked first: dragged, or moved with its buttons. */
export function ProviderOrder({ settings, health }: Props) {
  const change = useProviderChanges();
  const [dragged, setDragged] = useState<number | null>(null);
  const [over, setOver] = useState<number | null>(null);
  const [told, setTold] = useState('');
  const { providers } = settings;
  const put = (next: ProviderSetting[]) =>
    change.mutate({
      changes: { providers: next.map(({ provider, enabled }) => ({ provider, enabled })) },
      shown: { ...settings, providers: next },
    });
  const move = (from: number, to: number) => {
    const name = providers[from]?.provider;
    if (from === to || !name) return;
    setTold(`${name} is now number ${to + 1} of ${providers.length}.`);
    put(moved(providers, from, to));
  };
  const setOne = (at: number, one: Partial<ProviderSetting>) => {
    const next = providers.map((setting, index) => (index === at ? { ...setting, ...one } : setting));
    const capped = 'monthly_cap_cents' in one;
    change.mutate({
      changes: {
        providers: next.map(({ provider, enabled, monthly_cap_cents }, index) => ({
          provider,
          enabled,
          ...(capped && index === at && { monthly_cap_cents }),
        })),
      },
      shown: { ...settings, providers: next },
    });
  };
  return (
    <Section
      title="Order of providers"
      about="Where several can serve a request, the first here is asked first. What is switched off serves no request of yours."
    >
      <ol className={styles.list}>
        {providers.map((setting, at) => (
          <li
            key={setting.provider}
            className={styles.item}
            data-over={over === at && dragged !== at ? true : undefined}
            onDragOver={(event) => {
              if (dragged === null) return;
              event.preventDefault();
              setOver(at);
            }}
            onDrop={(event) => {
              event.preventDefault();
              if (dragged !== null) move(dragged, at);
              setDragged(null);
              setOver(null);
            }}
          >
            <ProviderRow
              setting={setting}
              at={at}
              count={providers.length}
              health={health?.find((one) => one.id === setting.provider)}
              onMove={(to) => move(at, to)}
              onChange={(one) => setOne(at, one)}
              onDrag={(is) => {
                setDragged(is ? at : null);
                setOver(null);
              }}
            />
          </li>
        ))}
      </ol>
      <span role="status" className="unseen">
        {told}
      </span>
    </Section>
  );
}
