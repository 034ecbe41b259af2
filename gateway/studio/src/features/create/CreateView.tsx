import { useNavigate, useParams } from '@tanstack/react-router';
import { useCallback, useEffect, useRef } from 'react';
import type { Generation } from '@/api/client';
import { hasEnded } from '@/api/generations';
import { keys } from '@/api/keys';
import { queryClient } from '@/api/queries';
import { View } from '@/app/View';
import { useShortcuts } from '@/keyboard/registry';
import { Tabs } from '@/ui/Tabs';
import { CreateForm } from './CreateForm';
import styles from './CreateView.module.css';
import { KINDS, rememberKind } from './kinds';
import { PreviewPanel } from './PreviewPanel';
import { useShown } from './showing';

export { Dropped } from './Dropped';

const STACKED = '(max-width: 959px)';

/** The form at the left, what it makes at the right. */
export function CreateView() {
  const { kind } = useParams({ from: '/_studio/studio/create/$kind' });
  const navigate = useNavigate();
  const showing = useShown(kind);
  const preview = useRef<HTMLDivElement>(null);
  const tabs = KINDS.map(({ name, label, icon: Icon }) => ({
    value: name,
    label,
    icon: <Icon aria-hidden="true" />,
  }));
  const label = KINDS.find((one) => one.name === kind)?.label ?? kind;
  const { shown, show, go } = showing;
  useEffect(() => rememberKind(kind), [kind]);
  const onMade = useCallback(
    ([first]: readonly Generation[]) => {
      if (!first) return;
      if (!isLookedAt(shown)) show(first.id);
      if (matchMedia(STACKED).matches) preview.current?.scrollIntoView({ behavior: 'smooth' });
    },
    [shown, show],
  );
  useShortcuts('Create', [{ chord: 'p', label: 'Preview', run: () => go({ panel: 'preview' }) }]);
  return (
    <View title={`Create ${label.toLowerCase()}`} hideTitle>
      <div className={styles.create}>
        <Tabs
          label="What to make"
          tabs={tabs}
          value={kind}
          onChange={(next) => void navigate({ to: '/studio/create/$kind', params: { kind: next } })}
        >
          <div className={styles.panels}>
            <CreateForm key={kind} kind={kind} onMade={onMade} />
            <div ref={preview} className={styles.preview}>
              <PreviewPanel kind={kind} showing={showing} onMade={onMade} />
            </div>
          </div>
        </Tabs>
      </div>
    </View>
  );
}

/** Whether the preview has something that nobody may take away: a result. What runs or failed gives way. */
function isLookedAt(id: string | null): boolean {
  const known = id ? queryClient.getQueryData<Generation>(keys.generation(id)) : undefined;
  return known !== undefined && hasEnded(known) && known.status === 'completed';
}
