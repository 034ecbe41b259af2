import type { ApiKey } from '@/api/apiKeys';
import { Badge } from '@/ui/Badge';
import { Button } from '@/ui/Button';
import { dollars } from '@/ui/money';
import { stateWord } from '@/ui/states';
import { Time } from '@/ui/Time';
import forms from './forms.module.css';
import { stateOf } from './keyWords';

interface Props {
  apiKey: ApiKey;
  project: string | null;
  onRotate: () => void;
  onRevoke: () => void;
}

/** One key: what it may, and whether it works. */
export function KeyRow({ apiKey: key, project, onRotate, onRevoke }: Props) {
  const state = stateOf(key, Date.now());
  const over = state === 'revoked' || state === 'expired';
  const limits = [
    key.kinds.length > 0 && key.kinds.join(', '),
    key.project_id && `in ${project ?? 'one project'}`,
    key.budget_nanos !== null &&
      `up to ${dollars(key.budget_nanos)} ${key.budget_period === 'total' ? 'in all' : `a ${key.budget_period}`}`,
  ].filter(Boolean);
  return (
    <li className={forms.item}>
      <div className={forms.main}>
        <span className={forms.head}>
          <strong>{key.name}</strong>
          <Badge>{stateWord(key.scopes.at(-1) ?? 'read')}</Badge>
          {state === 'revoked' && <Badge tone="bad">Revoked</Badge>}
          {state === 'expired' && <Badge tone="bad">Expired</Badge>}
          {state === 'ends' && (
            <Badge tone="warn">
              Ends <Time at={key.revoked_at ?? ''} />
            </Badge>
          )}
        </span>
        <span className={forms.mono}>{key.key_id}</span>
        <span className={forms.faint}>
          {limits.length > 0 && `${limits.join(' · ')} · `}
          made <Time at={key.created_at} /> ·{' '}
          {key.last_used_at ? (
            <>
              used <Time at={key.last_used_at} />
            </>
          ) : (
            'never used'
          )}
          {key.expires_at && state === 'works' && (
            <>
              {' '}
              · expires <Time at={key.expires_at} />
            </>
          )}
        </span>
      </div>
      {!over && (
        <div className={forms.row}>
          <Button size="sm" onClick={onRotate}>
            Rotate
          </Button>
          <Button size="sm" onClick={onRevoke}>
            Revoke
          </Button>
        </div>
      )}
    </li>
  );
}
