import { useQuery } from '@tanstack/react-query';
import { ChevronDown } from 'lucide-react';
import { keys } from '@/api/keys';
import { fetchOpsProviders, type OpsJobDetail } from '@/api/ops';
import buttons from '@/ui/Button.module.css';
import { classes } from '@/ui/classes';
import { Menu } from '@/ui/Menu';
import { useMayAct } from './access';

const PLAIN = classes(buttons.button, buttons.plain, buttons.sm);

interface Props {
  job: OpsJobDetail;
  onRetry: (provider: string) => void;
}

/** Tries it again with a provider of the operator's choice first; one that cannot do it is passed over as always. */
export function RetryElsewhere({ job, onRetry }: Props) {
  const may = useMayAct();
  const { data = [] } = useQuery({ queryKey: keys.ops('providers'), queryFn: fetchOpsProviders });
  const able = data.filter((one) => one.available && one.kinds.includes(job.kind));
  if (able.length === 0) return null;
  return (
    <Menu
      name="Retry at a provider"
      className={PLAIN}
      disabled={!may}
      button={
        <>
          Retry at
          <ChevronDown aria-hidden="true" />
        </>
      }
      items={able.map((one) => ({
        label: one.id === job.provider ? `${one.id} (as before)` : one.id,
        run: () => onRetry(one.id),
      }))}
    />
  );
}
