import subprocess
import sys


def test_nothing_of_the_extras_is_loaded_before_it_is_used() -> None:
    program = (
        "import sys, deepgram_async.batch, deepgram_async.callbacks\n"
        "print({'aiohttp', 'distributed', 'obstore', 'pyarrow', 'redis'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert done.stdout == "set()\n"
