import { useNavigate, useParams } from '@tanstack/react-router';
import { Image as ImageIcon } from 'lucide-react';
import { useState } from 'react';
import { View } from '@/app/View';
import { EmptyState } from '@/ui/EmptyState';
import { Tabs } from '@/ui/Tabs';
import styles from './CreateView.module.css';
import { KINDS } from './kinds';
import { PromptForm } from './PromptForm';
import { Result } from './Result';

/** The form at the left, what it makes at the right. */
export function CreateView() {
  const { kind } = useParams({ from: '/_studio/studio/create/$kind' });
  const navigate = useNavigate();
  const [last, setLast] = useState<string | null>(null);
  const tabs = KINDS.map(({ name, label, icon: Icon }) => ({
    value: name,
    label,
    icon: <Icon aria-hidden="true" />,
  }));
  const label = KINDS.find((one) => one.name === kind)?.label ?? kind;
  return (
    <View title={`Create ${label.toLowerCase()}`} hideTitle>
      <Tabs
        label="What to make"
        tabs={tabs}
        value={kind}
        onChange={(next) => void navigate({ to: '/studio/create/$kind', params: { kind: next } })}
      >
        <div className={styles.panels}>
          <PromptForm key={kind} kind={kind} onSubmitted={(generation) => setLast(generation.id)} />
          <section aria-label="Preview" className={styles.preview}>
            {last ? (
              <Result id={last} />
            ) : (
              <EmptyState icon={<ImageIcon />} title="What you make appears here">
                Describe it and press Generate.
              </EmptyState>
            )}
          </section>
        </div>
      </Tabs>
    </View>
  );
}
