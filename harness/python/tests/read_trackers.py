"""Reads exported runs and a card with the trackers' own readers, and prints what they found as JSON.

Usage: read_trackers.py FOLDER, with tensorboard/, mlflow/, wandb/ and README.md in it.
"""

import json
import os
import sys
from pathlib import Path

# MLflow 3 reads its file store only when asked to.
os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"


def tensorboard(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    runs = {}
    for place in sorted(folder.iterdir()):
        reader = EventAccumulator(str(place))
        reader.Reload()
        scalars = {tag: [one.value for one in reader.Scalars(tag)] for tag in reader.Tags()["scalars"]}
        losses = scalars.pop("loss", [])
        # A run's folder ends in the beginning of its id.
        runs[place.name.rsplit("-", 1)[1]] = {
            "metrics": {name: values[-1] for name, values in scalars.items()},
            "losses": losses,
        }
    return runs


def mlflow(folder):
    import mlflow as tracker

    client = tracker.MlflowClient(tracking_uri=f"file:{folder}")
    experiments = client.search_experiments()
    runs = {}
    for run in client.search_runs([one.experiment_id for one in experiments], max_results=1000):
        metrics = dict(run.data.metrics)
        history = []
        if "loss" in metrics:
            history = [one.value for one in client.get_metric_history(run.info.run_id, "loss")]
            del metrics["loss"]
        runs[run.info.run_id[:8]] = {
            "name": run.info.run_name,
            "status": run.info.status,
            "metrics": metrics,
            "losses": history,
            "settings": dict(run.data.params),
        }
    return {"experiments": [one.name for one in experiments], "runs": runs}


def wandb(folder):
    from wandb.proto import wandb_internal_pb2
    from wandb.sdk.internal.datastore import DataStore

    runs = {}
    for place in sorted(folder.iterdir()):
        (log,) = place.glob("run-*.wandb")
        store = DataStore()
        store.open_for_scan(str(log))
        run = {"losses": [], "metrics": {}, "settings": {}, "has_ended": False}
        while True:
            data = store.scan_data()
            if data is None:
                break
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            kind = record.WhichOneof("record_type")
            if kind == "run":
                run["name"] = record.run.display_name
                run["project"] = record.run.project
                run["settings"] = {one.key: json.loads(one.value_json) for one in record.run.config.update}
            elif kind == "history":
                values = {one.key: json.loads(one.value_json) for one in record.history.item}
                run["losses"].append(values["loss"])
            elif kind == "summary":
                run["metrics"] = {one.key: json.loads(one.value_json) for one in record.summary.update}
            elif kind == "exit":
                run["has_ended"] = record.exit.exit_code == 0
        runs[log.stem.split("-")[1]] = run
    return runs


def card(path):
    from huggingface_hub import ModelCard

    data = ModelCard.load(str(path)).data
    return {
        "name": data.model_name,
        "accuracies": {one.metric_name: one.metric_value for one in data.eval_results},
        "dataset": data.eval_results[0].dataset_type,
    }


def main():
    folder = Path(sys.argv[1])
    found = {
        "tensorboard": tensorboard(folder / "tensorboard"),
        "mlflow": mlflow(folder / "mlflow"),
        "wandb": wandb(folder / "wandb"),
        "card": card(folder / "README.md"),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
