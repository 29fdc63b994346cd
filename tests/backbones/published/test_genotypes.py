import pytest

from nasgem_core.backbones.published import genotypes, operations, preactivation
from nasgem_core.backbones.published.genotypes import CellGenotype, Genotype, read_cell

ALL = {name: value for name, value in vars(genotypes).items() if isinstance(value, Genotype)}


def test_a_text_is_read_node_by_node():
    cell = read_cell("sep3:0 skip:1 | max3:2")
    assert cell == CellGenotype(((("sep3", 0), ("skip", 1)), (("max3", 2),)), (2, 3))
    assert read_cell("sep3:0 skip:1 | max3:2", (3,)).concat == (3,)


@pytest.mark.parametrize("name", ALL)
def test_every_node_reads_earlier_tensors_by_known_operations(name):
    known = preactivation if name == "BAYESNAS" else operations
    for cell in (ALL[name].normal, ALL[name].reduction):
        for number, node in enumerate(cell.nodes, start=2):
            for operation, source in node:
                assert 0 <= source < number
                known.build_operation(operation, 4, 1)
        assert all(2 <= number < len(cell.nodes) + 2 for number in cell.concat)


@pytest.mark.parametrize("name", ALL)
def test_every_node_reaches_the_output(name):
    for cell in (ALL[name].normal, ALL[name].reduction):
        used = {source for node in cell.nodes for _, source in node} | set(cell.concat)
        assert used == set(range(len(cell.nodes) + 2))


@pytest.mark.parametrize("name", sorted(set(ALL) - {"BAYESNAS"}))
def test_other_searches_have_two_operations_a_node(name):
    assert {len(node) for cell in (ALL[name].normal, ALL[name].reduction) for node in cell.nodes} == {2}


def test_nao_concatenates_what_no_node_uses():
    for cell in (genotypes.NAONET.normal, genotypes.NAONET.reduction):
        used = {source for node in cell.nodes for _, source in node}
        assert cell.concat == tuple(number for number in range(len(cell.nodes) + 2) if number not in used)
