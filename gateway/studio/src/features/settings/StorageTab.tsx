import { useRetention, useStorage } from '@/api/storage';
import { size } from '@/ui/bytes';
import { ErrorCard } from '@/ui/ErrorCard';
import { Meter } from '@/ui/Meter';
import { Skeleton } from '@/ui/Skeleton';
import forms from './forms.module.css';
import { RetentionSection } from './RetentionSection';
import { Section } from './Section';

export default function StorageTab() {
  const rules = useRetention();
  return (
    <>
      <Room />
      {rules.error && <ErrorCard error={rules.error} onRetry={() => void rules.refetch()} />}
      {rules.data ? (
        <RetentionSection key={JSON.stringify(rules.data)} rules={rules.data} />
      ) : (
        !rules.error && <Skeleton height={160} />
      )}
    </>
  );
}

function Room() {
  const { data, error, refetch } = useStorage();
  if (error) return <ErrorCard error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton height={140} />;
  const { used_bytes: used, limit_bytes: limit, outputs, uploads, pending_bytes: pending } = data;
  const words = limit === null ? `${size(used)} used` : `${size(used)} of ${size(limit)} used`;
  return (
    <Section title="Room">
      <div className={forms.form}>
        <strong>{words}</strong>
        {limit !== null && <Meter label="Room" used={used} limit={limit} text={words} />}
        <p className={forms.faint}>
          {counted(outputs.files)} made here ({size(outputs.bytes)}) and {counted(uploads.files)} uploaded (
          {size(uploads.bytes)})
          {pending > 0 && `; ${size(pending)} are kept free for uploads that have not ended`}. Thumbnails are
          not counted.
        </p>
      </div>
    </Section>
  );
}

function counted(files: number): string {
  return files === 1 ? '1 file' : `${files.toLocaleString('en')} files`;
}
