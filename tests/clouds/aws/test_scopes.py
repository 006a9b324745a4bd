"""Which request of AWS works with one place alone."""

from upgrade_gate.clouds.aws.scopes import places


def test_only_the_registrys_request_works_with_one_bucket() -> None:
    assert places("openshift-image-registry") == ("bucket",)
    assert places("openshift-ingress") == places("cloud-credential-operator-s3") == ()
