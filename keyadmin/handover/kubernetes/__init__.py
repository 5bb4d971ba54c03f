"""Reaching a Kubernetes cluster: from inside a pod, or by a context of a kubeconfig."""
