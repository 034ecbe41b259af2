import type { Generation } from '@/api/client';
import type { NewGeneration } from '@/api/generations';
import { useModels } from '@/api/models';
import { asProblem } from '@/api/problem';
import { useShortcuts } from '@/keyboard/registry';
import { useConnection } from '@/live/live';
import { ErrorCard } from '@/ui/ErrorCard';
import { Loading, Skeleton } from '@/ui/Skeleton';
import styles from './CreateForm.module.css';
import { changeDraft, setValue, useDraft } from './drafts';
import { useEstimate } from './estimating';
import { FormFields } from './FormFields';
import { fieldsOf, titleOf } from './fields';
import { GenerateBar } from './GenerateBar';
import { ModelPicker } from './ModelPicker';
import { modelOf } from './modelSearch';
import { obstacleOf } from './obstacles';
import { SettingsMenu } from './SettingsMenu';
import { useSubmit } from './submitting';
import { useTransfers } from './transfers';
import { inputOf, inputsOf, isBlank, leftOut } from './values';

interface Props {
  kind: string;
  onMade: (made: readonly Generation[]) => void;
}

/** The form of a kind, drawn from the chosen model's schema, and the bar that sends it. */
export function CreateForm({ kind, onMade }: Props) {
  const models = useModels(kind);
  if (models.error) return <ErrorCard error={models.error} onRetry={() => void models.refetch()} />;
  if (!models.data) return <FormSkeleton />;
  return <LoadedForm kind={kind} models={models.data} onMade={onMade} />;
}

function LoadedForm({
  kind,
  models,
  onMade,
}: Props & { models: NonNullable<ReturnType<typeof useModels>['data']> }) {
  const draft = useDraft(kind);
  const offline = useConnection() === 'offline';
  const transfers = useTransfers().filter((one) => one.kind === kind);
  const model = modelOf(models, draft.model);
  const fields = fieldsOf(model?.parameters ?? {});
  const input = inputOf(draft.values, fields);
  const request = (given: Record<string, unknown>) =>
    ({ kind, input: given, ...(model && { model: model.id }) }) as NewGeneration;
  const estimate = useEstimate(model ? request(input) : null);
  const { send, isPending, error } = useSubmit(onMade);
  const problem = error ? asProblem(error) : null;
  const missing = fields
    .filter((field) => (field.required || field.name === 'prompt') && isBlank(input[field.name]))
    .map((field) => field.title);
  const obstacle = obstacleOf({
    offline,
    transfers,
    estimate: estimate.data,
    missing,
    hasModel: model?.available ?? false,
  });
  const generate = () => {
    if (obstacle === null) send(inputsOf(draft.values, fields, draft.times).map(request));
  };
  useShortcuts('Create', [{ chord: 'Mod+Enter', label: 'Generate', inFields: true, run: generate }]);
  const errorOf = (name: string) =>
    problem?.of(`input.${name}`) ??
    estimate.data?.problems.find((one) => one.field === `input.${name}` && !one.missing)?.message ??
    null;
  const unplaced = problem && !fields.some((field) => problem.of(`input.${field.name}`) !== null);
  const dropped = leftOut(draft.values, fields).map(titleOf);
  return (
    <form
      className={styles.form}
      aria-label="What to make"
      onSubmit={(event) => {
        event.preventDefault();
        generate();
      }}
    >
      <div className={styles.fields}>
        <ModelPicker
          models={models}
          chosen={model}
          error={problem?.of('model') ?? null}
          onChoose={(chosen) => changeDraft(kind, { model: chosen.id })}
        />
        <SettingsMenu kind={kind} model={model?.id ?? null} />
        <p role="status" className={dropped.length > 0 ? styles.dropped : 'unseen'}>
          {dropped.length > 0 &&
            `${model?.label} does not take: ${dropped.join(', ')}. Kept for a model that does.`}
        </p>
        <FormFields
          kind={kind}
          fields={fields}
          draft={draft}
          errorOf={errorOf}
          onChange={(name, value) => setValue(kind, name, value)}
        />
        {unplaced && <ErrorCard error={problem} />}
      </div>
      <GenerateBar
        estimate={estimate.data}
        unpriced={estimate.isError}
        times={draft.times}
        obstacle={obstacle}
        busy={isPending}
      />
    </form>
  );
}

function FormSkeleton() {
  return (
    <div className={styles.form}>
      <Loading label="Loading the models" />
      <div className={styles.fields}>
        <Skeleton height={52} />
        <Skeleton height={128} />
        <Skeleton height={88} />
        <Skeleton height={64} />
      </div>
    </div>
  );
}
