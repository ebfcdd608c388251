import { metrics } from '@opentelemetry/api'
import { InvalidArgumentError, Option } from 'commander'
import { LeaseholdError, messageOf } from '../model/errors.ts'

const LOOPBACK = '127.0.0.1'

export interface MetricsAddress {
  readonly host: string
  readonly port: number
}

export const metricsOption = (): Option =>
  new Option(
    '--metrics <[host:]port>',
    'offer metrics to Prometheus at /metrics there (loopback unless a host is named)',
  ).argParser(parseMetricsAddress)

export function parseMetricsAddress(text: string): MetricsAddress {
  const [, host = LOOPBACK, port] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? []
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  // Port 0 would be another one, which the exporter does not tell.
  if (port !== undefined && Number(port) >= 1 && Number(port) <= 65_535)
    return { host: bare, port: Number(port) }
  throw new InvalidArgumentError('It must be a port or HOST:PORT, such as 9464 or 0.0.0.0:9464.')
}

export interface MetricsEndpoint extends AsyncDisposable {
  readonly url: string
}

/**
 * Begins to collect, for this whole OS process, and answers scrapes. Before the worker is made, whose instruments ask
 * who collects. The packages are the user's: most workers are not scraped, and then need none of them.
 */
export async function openMetricsEndpoint({ host, port }: MetricsAddress): Promise<MetricsEndpoint> {
  const { MeterProvider, PrometheusExporter } = await loadPackages()
  const exporter = new PrometheusExporter({ host, port, preventServerStart: true })
  try {
    await exporter.startServer()
  } catch (error) {
    throw new LeaseholdError(
      'usage',
      `Metrics cannot be offered at ${host}:${port}: ${messageOf(error)}. Name another port, or leave --metrics out.`,
      { cause: error },
    )
  }
  const provider = new MeterProvider({ readers: [exporter] })
  metrics.setGlobalMeterProvider(provider)
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}/metrics`,
    [Symbol.asyncDispose]: async () => {
      metrics.disable()
      await provider.shutdown()
    },
  }
}

async function loadPackages() {
  try {
    const { MeterProvider } = await import('@opentelemetry/sdk-metrics')
    const { PrometheusExporter } = await import('@opentelemetry/exporter-prometheus')
    return { MeterProvider, PrometheusExporter }
  } catch (error) {
    throw new LeaseholdError(
      'usage',
      '--metrics needs two packages that are not installed: npm install @opentelemetry/sdk-metrics @opentelemetry/exporter-prometheus',
      { cause: error },
    )
  }
}
