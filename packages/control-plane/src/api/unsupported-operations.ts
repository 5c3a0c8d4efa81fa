import { type ApiError, unsupportedFeature } from './errors.ts'
import type { EcsOperation } from './operation.ts'

const gateways = 'Berth has no gateways.'
const daemons = 'Berth has no managed daemons; a service with the DAEMON scheduling strategy runs on every host.'
const expressServices = 'Berth has no Express Mode services; use CreateService.'
const agentProtocol = "It is for Amazon's own container agent; hosts join Berth with Berth's agent."
const autoScaling = 'Berth places tasks on the hosts that are registered; it has no Auto Scaling groups.'
const notYet = 'It is not part of Berth yet.'

/**
 * The operations of the ECS model that Berth refuses, each with the reason it tells the client. An operation must
 * stand here or have a handler, never both: `ecsService` checks it. Giving one a handler means taking it out here.
 */
export const unsupportedOperations: Readonly<Partial<Record<EcsOperation, string>>> = {
  AssociateGatewayWithCluster: gateways,
  CreateCapacityProvider: autoScaling,
  CreateDaemon: daemons,
  CreateExpressGatewayService: expressServices,
  CreateGateway: gateways,
  DeleteCapacityProvider: autoScaling,
  DeleteDaemon: daemons,
  DeleteDaemonTaskDefinition: daemons,
  DeleteExpressGatewayService: expressServices,
  DeleteGateway: gateways,
  DescribeDaemon: daemons,
  DescribeDaemonDeployments: daemons,
  DescribeDaemonRevisions: daemons,
  DescribeDaemonTaskDefinition: daemons,
  DescribeExpressGatewayService: expressServices,
  DescribeGateway: gateways,
  DescribeGatewayResources: gateways,
  DescribeGatewayRoute: gateways,
  DisassociateGatewayFromCluster: gateways,
  DiscoverPollEndpoint: agentProtocol,
  ExecuteCommand: notYet,
  ListDaemonDeployments: daemons,
  ListDaemons: daemons,
  ListDaemonTaskDefinitions: daemons,
  ListGatewayClusterAssociations: gateways,
  ListGatewayRoutes: gateways,
  ListGateways: gateways,
  ListServicesByNamespace: notYet,
  RegisterContainerInstance: agentProtocol,
  RegisterDaemonTaskDefinition: daemons,
  SubmitAttachmentStateChanges: agentProtocol,
  SubmitContainerStateChange: agentProtocol,
  SubmitTaskStateChange: agentProtocol,
  UpdateCapacityProvider: autoScaling,
  UpdateContainerAgent: 'Berth does not update its agent over the API.',
  UpdateDaemon: daemons,
  UpdateExpressGatewayService: expressServices,
  UpdateGateway: gateways,
}

/** The refusal of an operation that Berth does not honour. */
export const unsupportedOperation = (operation: string, reason: string): ApiError =>
  unsupportedFeature(`The ${operation} operation is not supported by Berth. ${reason}`)
