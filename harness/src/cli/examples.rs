//! Examples after the help of the commands that are used most.

pub(super) const RUN: &str = "\
Examples:
  harness run suites/quickstart.yaml
  harness run suite.yaml -o report.json -o report.html
  harness run suite.yaml --only method=coop,dataset=digits
  harness run quickstart --plugin target/debug/libmy_method.so
  harness run suite.yaml --gate --baseline reports/main.json";

pub(super) const PLAN: &str = "\
Examples:
  harness plan suites/quickstart.yaml
  harness plan suite.yaml --only source=clip-vit-b16,shots=16
  harness plan suite.yaml --cores 64 --budget 8h";

pub(super) const SUBMIT: &str = "\
Examples:
  harness submit suite.yaml -o report.html --sbatch \"--partition=long --account=vision\"
  harness submit suite.yaml --tasks 64 --jobs 4
  harness submit suite.yaml --print";

pub(super) const INIT: &str = "\
Examples:
  harness init
  harness init upgrade.yaml --source clip-vit-b16 --target eva02-clip-b16 --data ./photos";

pub(super) const EXPORT: &str = "\
Examples:
  harness export report.json -o report.html
  harness export report.json -o results.csv -o table.tex
  harness export report.json --figures figures --format pdf,png --columns 1
  harness export report.json --tensorboard runs --mlflow mlruns --wandb wandb
  harness export new.json --compare old.json -o changes.md";

pub(super) const GATE: &str = "\
Examples:
  harness gate report.json
  harness gate report.json --baseline reports/main.json --margin 2
  harness gate report.json --only method=coop --strict";

pub(super) const CHECK: &str = "\
Examples:
  harness data check digits
  harness data check ./photos --classes
  harness data check suite.yaml --quick -o problems.txt";

pub(super) const CHECK_MODULES: &str = "\
Examples:
  harness check prod/*.safetensors --target eva02-clip-b16
  harness check prod/ --target micro-eva-clip --retrain --fail-on drop,retrain
  harness check coop.safetensors --target ./new --dataset digits -o report.json";

pub(super) const PREDICT: &str = "\
Examples:
  harness predict --module prod/coop.safetensors --backbone eva02-clip-b16 --images photos -o preds.csv
  harness predict --module coop.safetensors --backbone ./new --images cat.jpg dog.jpg --top 3";
pub(super) const PLUGIN_NEW: &str = "\
Examples:
  harness plugin new my-method
  cd my-method && cargo test && cargo build && harness run suite.yaml
  harness plugin new my-method --python && harness plugin try my_method.py";

pub(super) const PLUGIN_TRY: &str = "\
Examples:
  harness plugin try
  harness plugin try my-method --dataset digits --watch
  harness plugin try target/debug/libmy_method.so --config '{\"length\": 8}'
  harness plugin try my_method.py --python ./venv --watch

Exit 107 if the training fails.";
pub(super) const PLUGIN_COMPARE: &str = "\
Examples:
  harness plugin compare my-method --write-inputs inputs.safetensors
  python my_method_in_torch.py inputs.safetensors expected.safetensors
  harness plugin compare my-method --expected expected.safetensors

Exit 107 if a tensor differs.";
pub(super) const PLUGIN_LOCK: &str = "\
Examples:
  harness plugin lock suite.yaml
  harness run suite.yaml --locked";

pub(super) const PLUGIN_CHECK: &str = "\
Examples:
  harness plugin check target/debug/libmy_method.so
  harness plugin check target/debug/libmy_method.so --config '{\"length\": 8}'

Exit 107 if a check fails.";
