import sys
if sys.version_info < (3, 9):
    sys.stderr.write("harness needs Python 3.9 or newer, this is %s\n" % sys.version.split()[0])
    sys.exit(1)
import importlib.abc, importlib.util, json, os

# The pipes to the harness become the runtime's own; what the script prints goes to the log.
source, sink = os.dup(0), os.dup(1)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
os.dup2(2, 1)
source, sink = os.fdopen(source, "rb", 1 << 16), os.fdopen(sink, "wb", 1 << 16)
modules = json.loads(source.readline())


class Sources(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    def find_spec(self, name, path=None, target=None):
        package, _, module = name.partition(".")
        if package != "harness_sdk" or (module or "__init__") not in modules:
            return None
        return importlib.util.spec_from_loader(name, self, is_package=not module)

    def get_source(self, name):
        return modules[name.partition(".")[2] or "__init__"]

    def is_package(self, name):
        return name == "harness_sdk"


sys.path[:1] = []
sys.meta_path.insert(0, Sources())
from harness_sdk import _child

_child.serve(source, sink)
