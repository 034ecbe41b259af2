import type { BudgetAlert } from '@/api/budgets';
import { dollars } from '@/ui/money';

/** What a budget told: "80 % of a budget of $5.00 is spent". */
export function alertText(alert: BudgetAlert): string {
  const limit = Number(alert.metadata.limit_nanos ?? alert.threshold.nanos);
  if (alert.metadata.refused === true) {
    return `A request was refused: too little is left of a budget of ${dollars(limit)}`;
  }
  if (alert.threshold_percent >= 100) return `A budget of ${dollars(limit)} is reached`;
  return `${alert.threshold_percent} % of a budget of ${dollars(limit)} is spent`;
}
