export { occurrence } from './occurrence.ts'
export { process } from './process.ts'
