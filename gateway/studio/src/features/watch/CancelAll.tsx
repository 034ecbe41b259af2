import { useState } from 'react';
import type { Job } from '@/live/jobs';
import { Button } from '@/ui/Button';
import { Confirm } from '@/ui/Confirm';
import { cancelSoon, kept, useCanceling } from './canceling';

/** Cancels all that is unfinished: says how many, asks, and can be undone for ten seconds. */
export function CancelAll({ jobs }: { jobs: readonly Job[] }) {
  const [asks, setAsks] = useState(false);
  const going = kept(jobs, useCanceling()).filter((job) => job.seq >= 0);
  const words = going.length === 1 ? '1 job' : `${going.length} jobs`;
  const close = () => setAsks(false);
  return (
    <>
      {going.length > 0 && (
        <Button size="sm" onClick={() => setAsks(true)}>
          Cancel all
        </Button>
      )}
      <Confirm
        open={asks && going.length > 0}
        title={`Cancel ${words}?`}
        action={`Cancel ${words}`}
        onClose={close}
        onConfirm={() => {
          close();
          cancelSoon(going.map((job) => job.id));
        }}
      >
        <p>
          On all your devices, whatever they wait for. You have ten seconds to take it back. What a provider
          has begun may still cost something.
        </p>
      </Confirm>
    </>
  );
}
