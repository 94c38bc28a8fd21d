"""What /metrics says, read by Prometheus' own parser."""

from http_client import Client
from prometheus_client.parser import text_string_to_metric_families


class Scrape:
    """One answer of /metrics: `scrape("name", label="value")` is that sample's number, `None` where there is none."""

    def __init__(self, url):
        answer = Client(url)("GET", "/metrics")
        assert answer.status == 200, answer
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        self.text = answer.body.decode()
        self.families = {family.name: family for family in text_string_to_metric_families(self.text)}
        self.samples = [sample for family in self.families.values() for sample in family.samples]

    def __call__(self, name, **labels):
        found = [sample.value for sample in self.samples if sample.name == name and sample.labels == labels]
        assert len(found) <= 1, f"{name} {labels} is there {len(found)} times"
        return found[0] if found else None

    def labels(self, name, label):
        """The values of `label`."""
        return {sample.labels[label] for sample in self.samples if sample.name == name}
