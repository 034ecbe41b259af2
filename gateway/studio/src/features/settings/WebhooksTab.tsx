import { useEndpoints } from '@/api/webhooks';
import { DeliveriesSection } from './DeliveriesSection';
import { EndpointsSection } from './EndpointsSection';

/** Deliveries are out of sight until there is what comes above them, so that they do not move. */
export default function WebhooksTab() {
  const { isPending } = useEndpoints();
  return (
    <>
      <EndpointsSection />
      <div hidden={isPending}>
        <DeliveriesSection />
      </div>
    </>
  );
}
