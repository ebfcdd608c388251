export interface Order {
  readonly id: string
  readonly item: string
  readonly euros: number
  readonly deliveredDaysAgo: number
}

/** What the shop has sold. */
const ORDERS: readonly Order[] = [
  { id: 'A-1001', item: 'kettle', euros: 89, deliveredDaysAgo: 12 },
  { id: 'A-1002', item: 'tea towel', euros: 9, deliveredDaysAgo: 3 },
  { id: 'A-1003', item: 'toaster', euros: 64, deliveredDaysAgo: 71 },
]

export const findOrder = (id: string): Order | undefined => ORDERS.find(order => order.id === id)
