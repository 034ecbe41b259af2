import { DeliveriesSection } from './DeliveriesSection';
import { EndpointsSection } from './EndpointsSection';

export default function WebhooksTab() {
  return (
    <>
      <EndpointsSection />
      <DeliveriesSection />
    </>
  );
}
