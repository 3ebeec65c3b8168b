import type { IPrometheusRule, IServiceMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";
import type { IDeployment } from "kubernetes-models/apps/v1";
import type { INetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import type { IPodDisruptionBudget } from "kubernetes-models/policy/v1";
import type { IConfigMap, IService } from "kubernetes-models/v1";

// Nothing but declarations: whatever else were imported here would be compiled with every manifest that is checked.

/** The declarations, by a manifest's apiVersion and kind. */
export interface Manifests {
  "v1 ConfigMap": IConfigMap;
  "v1 Service": IService;
  "apps/v1 Deployment": IDeployment;
  "policy/v1 PodDisruptionBudget": IPodDisruptionBudget;
  "networking.k8s.io/v1 NetworkPolicy": INetworkPolicy;
  "monitoring.coreos.com/v1 ServiceMonitor": IServiceMonitor;
  "monitoring.coreos.com/v1 PrometheusRule": IPrometheusRule;
}
