import { useMutation } from '@tanstack/react-query';
import { KeyRound, Pencil, Trash2 } from 'lucide-react';
import { changeEndpoint, type Endpoint, testEndpoint } from '@/api/webhooks';
import { Badge } from '@/ui/Badge';
import { Button } from '@/ui/Button';
import { MoreMenu } from '@/ui/MoreMenu';
import { Switch } from '@/ui/Switch';
import { say, sayProblem } from '@/ui/toasts';
import forms from './forms.module.css';

interface Props {
  endpoint: Endpoint;
  onAsked: (to: 'change' | 'rotate' | 'delete') => void;
  onChanged: () => void;
}

export function EndpointRow({ endpoint, onAsked, onChanged }: Props) {
  const enable = useMutation({
    mutationFn: (enabled: boolean) => changeEndpoint(endpoint.id, { enabled }),
    onError: sayProblem,
    onSettled: onChanged,
  });
  const test = useMutation({
    mutationFn: () => testEndpoint(endpoint.id),
    onSuccess: () => say('A test message is on its way; see below what comes of it.'),
    onError: sayProblem,
    onSettled: onChanged,
  });
  return (
    <li className={forms.item}>
      <div className={forms.main}>
        <span className={forms.mono}>{endpoint.url}</span>
        {endpoint.description && <span>{endpoint.description}</span>}
        <span className={forms.head}>
          {endpoint.events.map((event) => (
            <Badge key={event}>{event}</Badge>
          ))}
          {endpoint.disabled_reason && <Badge tone="bad">{endpoint.disabled_reason}</Badge>}
        </span>
      </div>
      <div className={forms.row}>
        <Switch
          label="Enabled"
          checked={enable.isPending ? enable.variables : endpoint.enabled}
          onChange={(enabled) => enable.mutate(enabled)}
        />
        <Button size="sm" busy={test.isPending} disabled={!endpoint.enabled} onClick={() => test.mutate()}>
          Send a test
        </Button>
        <MoreMenu
          name={`Actions for ${endpoint.url}`}
          items={[
            { label: 'Change', icon: <Pencil />, run: () => onAsked('change') },
            { label: 'Rotate the secret', icon: <KeyRound />, run: () => onAsked('rotate') },
            { label: 'Delete', icon: <Trash2 />, danger: true, run: () => onAsked('delete') },
          ]}
        />
      </div>
    </li>
  );
}
