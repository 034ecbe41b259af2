import { Activity } from 'lucide-react';
import { View } from '@/app/View';
import { useJobs } from '@/live/live';
import { EmptyState } from '@/ui/EmptyState';
import { JobCard } from './JobCard';
import styles from './JobsView.module.css';

/** What is not finished, in this tab or in any other. */
export function JobsView() {
  const jobs = useJobs();
  return (
    <View title="Jobs">
      {jobs.length === 0 ? (
        <EmptyState icon={<Activity />} title="Nothing is running">
          What you generate shows its progress here, on all your devices.
        </EmptyState>
      ) : (
        <ul className={styles.list}>
          {jobs.map((job) => (
            <li key={job.id}>
              <JobCard job={job} />
            </li>
          ))}
        </ul>
      )}
    </View>
  );
}
