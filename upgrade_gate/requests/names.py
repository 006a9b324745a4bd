"""Names of components as people say them; a report puts the request's own name beneath.

The names are those of the product's documentation; a request that nobody named here keeps its own.
"""

from __future__ import annotations

from typing import Final

_BY_BEGINNING: Final = {
    "alibaba-disk-csi-driver": "Alibaba disk CSI driver",
    "aws-ebs-csi-driver": "EBS CSI driver",
    "aws-efs-csi-driver": "EFS CSI driver",
    "azure-disk-csi-driver": "Azure Disk CSI driver",
    "azure-file-csi-driver": "Azure File CSI driver",
    "cloud-credential-operator": "Cloud Credential Operator",
    "gcp-filestore-csi-driver": "Filestore CSI driver",
    "ibm-powervs-block-csi-driver": "Power VS block CSI driver",
    "ibm-vpc-block-csi-driver": "IBM VPC block CSI driver",
    "manila-csi-driver": "Manila CSI driver",
    "openshift-cloud-network-config-controller": "Cloud network config controller",
    "openshift-cluster-api": "Cluster API",
    "openshift-cluster-csi-drivers": "Cinder CSI driver",
    "openshift-gcp-ccm": "Cloud controller manager",
    "openshift-gcp-pd-csi-driver": "GCP PD CSI driver",
    "openshift-image-registry": "Image registry",
    "openshift-ingress": "Ingress operator",
    "openshift-machine-api": "Machine API",
    "openshift-network": "Network operator",
    "openshift-vmware-vsphere-csi-driver": "vSphere CSI driver",
    "openshift-vsphere-problem-detector": "vSphere problem detector",
    "ovirt-csi-driver": "oVirt CSI driver",
}
_BY_END: Final = {"-cloud-controller-manager": "Cloud controller manager"}


def spoken(request: str) -> str:
    """Return what people call the component of a request (`namespace/name` or `name`), else the request's name.

    A known beginning counts up to a word's end, so that `openshift-networking-x` is not the network operator.
    """
    name = request.rpartition("/")[2]
    for ending, said in _BY_END.items():
        if name.endswith(ending):
            return said
    for beginning, said in _BY_BEGINNING.items():
        if f"{name}-".startswith(f"{beginning}-"):
            return said
    return name
