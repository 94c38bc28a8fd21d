"""Predicts with the SageMaker Python SDK's own Predictor, as notebooks do, and prints what it made of the answers.

usage: predict.py URL < '{"target": [[row], …], …}'
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from sagemaker import Session
from sagemaker.deserializers import CSVDeserializer, JSONDeserializer, JSONLinesDeserializer, PandasDeserializer
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer

# By their names: what each makes of an answer, as plain lists.
DESERIALIZERS = {
    "pandas": (PandasDeserializer(), lambda frame: frame[0].tolist()),
    "json": (JSONDeserializer(), list),
    "json lines": (JSONLinesDeserializer(), list),
    "csv": (CSVDeserializer(), lambda lines: [float(cell) for line in lines for cell in line]),
}


def session(url):
    """A session whose runtime client calls `url`, and that no region or account stands behind."""
    boto = boto3.Session(region_name="us-east-1", aws_access_key_id="any", aws_secret_access_key="any")
    config = Config(retries={"total_max_attempts": 1})
    runtime = boto.client("sagemaker-runtime", endpoint_url=url, config=config)
    return Session(boto_session=boto, sagemaker_client=boto.client("sagemaker"), sagemaker_runtime_client=runtime)


def main():
    its_session, models, found = session(sys.argv[1]), json.load(sys.stdin), {}
    for name, (deserializer, to_list) in DESERIALIZERS.items():
        predictor = Predictor("houses", its_session, serializer=CSVSerializer(), deserializer=deserializer)
        answers = {target: predictor.predict(rows, target_model=target) for target, rows in models.items()}
        found[name] = {target: to_list(answer) for target, answer in answers.items()}
    plain = Predictor("houses", its_session, serializer=CSVSerializer())
    found["bytes"] = {target: json.loads(plain.predict(rows, target_model=target)) for target, rows in models.items()}
    try:
        plain.predict([[1, 2, 3, 4, 5, 6]], target_model="nowhere/model.tar.gz")
    except ClientError as error:
        found["refused"] = error.response["Error"]["Code"]
    # The last line: the SDK has printed some of its own by now.
    print(json.dumps(found))


if __name__ == "__main__":
    main()
