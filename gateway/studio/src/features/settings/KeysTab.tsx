import { useMutation, useQueryClient } from '@tanstack/react-query';
import { KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';
import { type ApiKey, type NewApiKey, revokeKey, useApiKeys } from '@/api/apiKeys';
import { keys } from '@/api/keys';
import { useProjectChoices } from '@/api/projects';
import { Button } from '@/ui/Button';
import { Confirm } from '@/ui/Confirm';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorCard } from '@/ui/ErrorCard';
import { Skeleton } from '@/ui/Skeleton';
import { say, sayProblem } from '@/ui/toasts';
import forms from './forms.module.css';
import { KeyDialog } from './KeyDialog';
import { KeyRow } from './KeyRow';
import { RotateDialog } from './RotateDialog';
import { SecretDialog } from './SecretDialog';
import { Section } from './Section';

export default function KeysTab() {
  const client = useQueryClient();
  const { data, error, refetch } = useApiKeys();
  const projects = useProjectChoices().data ?? [];
  const [making, setMaking] = useState(false);
  const [rotating, setRotating] = useState<ApiKey | null>(null);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  const [made, setMade] = useState<NewApiKey | null>(null);
  const refresh = () => client.invalidateQueries({ queryKey: keys.apiKeys });
  const onMade = (key: NewApiKey) => {
    setMaking(false);
    setRotating(null);
    setMade(key);
    void refresh();
  };
  const revoke = useMutation({
    mutationFn: (key: ApiKey) => revokeKey(key.id),
    onSuccess: (_, key) => say(`“${key.name}” is revoked.`),
    onError: sayProblem,
    onSettled: () => {
      setRevoking(null);
      void refresh();
    },
  });
  const projectName = (id: string | null) => projects.find((one) => one.id === id)?.name ?? null;
  return (
    <Section
      title="API keys"
      about="For programs that work in this account. A key is shown once, when it is made."
      actions={
        <Button size="sm" look="primary" icon={<Plus />} onClick={() => setMaking(true)}>
          New key
        </Button>
      }
    >
      {error && <ErrorCard error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeleton height={200} />}
      {data?.length === 0 && (
        <EmptyState small icon={<KeyRound />} title="No keys yet">
          A script, a build server or a colleague’s tool works with one of its own.
        </EmptyState>
      )}
      {data && data.length > 0 && (
        <ul className={forms.list}>
          {data.map((key) => (
            <KeyRow
              key={key.id}
              apiKey={key}
              project={projectName(key.project_id)}
              onRotate={() => setRotating(key)}
              onRevoke={() => setRevoking(key)}
            />
          ))}
        </ul>
      )}
      <KeyDialog open={making} onMade={onMade} onClose={() => setMaking(false)} />
      <RotateDialog rotated={rotating} onMade={onMade} onClose={() => setRotating(null)} />
      <SecretDialog
        title={`The key “${made?.name ?? ''}”`}
        label="API key"
        about="Copy it now: it is not shown again, and cannot be found out later."
        secret={made?.key ?? null}
        onClose={() => setMade(null)}
      />
      <Confirm
        open={revoking !== null}
        title={`Revoke “${revoking?.name ?? ''}”?`}
        action="Revoke the key"
        busy={revoke.isPending}
        onConfirm={() => revoking && revoke.mutate(revoking)}
        onClose={() => setRevoking(null)}
      >
        Programs that use it are refused from then on. This cannot be undone.
      </Confirm>
    </Section>
  );
}
