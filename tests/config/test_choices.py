from nasgem_core.config.choices import OBJECTIVES


def test_every_objective_of_ours_is_found_by_the_name_of_its_module():
    assert set(OBJECTIVES.names()) >= {"macs", "latency", "params", "memory"}
    for name in OBJECTIVES.names():
        assert OBJECTIVES.module_of(name) == f"nasgem_core.search.objectives.{name}"
