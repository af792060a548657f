import torch

from frcnn_plugin.interop import layouts

CLS, REG = 'roi_head.bbox_head.fc_cls.', 'roi_head.bbox_head.fc_reg.'


def heads(num_classes: int = 3, background: bool = False) -> dict:
    sets = num_classes + int(background)
    return {f'{CLS}weight': torch.randn(num_classes + 1, 5),
            f'{CLS}bias': torch.randn(num_classes + 1),
            f'{REG}weight': torch.randn(4 * sets, 5),
            f'{REG}bias': torch.randn(4 * sets), 'backbone.x': torch.randn(4)}


def same(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_the_background_moves_with_its_deltas():
    state = heads(background=True)
    found = layouts.background_last(state)
    assert torch.equal(found[f'{CLS}bias'][-1], state[f'{CLS}bias'][0])
    assert torch.equal(found[f'{REG}bias'][-4:], state[f'{REG}bias'][:4])
    assert torch.equal(found[f'{REG}weight'][:4], state[f'{REG}weight'][4:8])
    assert found['backbone.x'] is state['backbone.x']
    assert same(layouts.background_first(found), state)


def test_deltas_of_the_background_come_and_go():
    state = heads()
    more = layouts.add_background_deltas(state)
    assert len(more[f'{REG}weight']) == 16 and not more[f'{REG}weight'][12:].any()
    assert same(layouts.drop_background_deltas(more), state)
    assert same(layouts.drop_background_deltas(state), state)
    assert same(layouts.add_background_deltas(more), more)


def test_x_and_y_change_places_in_both_stages():
    state = {**heads(), 'rpn_head.rpn_reg.bias': torch.arange(8.0)}
    found = layouts.swap_x_and_y(state)
    assert found['rpn_head.rpn_reg.bias'].tolist() == [1, 0, 3, 2, 5, 4, 7, 6]
    assert torch.equal(found[f'{REG}weight'][4], state[f'{REG}weight'][5])
    assert same(layouts.swap_x_and_y(found), state)


def test_anchors_by_size_become_anchors_by_ratio():
    sizes, ratios = 5, 3  # detectron2: (size, ratio)
    state = {'rpn_head.rpn_cls.bias': torch.arange(15.0),
             'rpn_head.rpn_reg.bias': torch.arange(60.0)}
    found = layouts.ratios_slowest(state)
    logits, deltas = found.values()
    for size in range(sizes):
        for ratio in range(ratios):
            mine, theirs = ratio * sizes + size, size * ratios + ratio
            assert logits[mine] == theirs
            assert deltas[4 * mine:4 * mine + 4].tolist() == [
                4 * theirs + i for i in range(4)]


def test_objectness_has_its_foreground_second():
    state = {'rpn_head.rpn_cls.bias': torch.arange(6.0),
             'rpn_head.rpn_reg.bias': torch.zeros(12)}
    found = layouts.swap_objectness(state)['rpn_head.rpn_cls.bias']
    assert found.tolist() == [1, 0, 3, 2, 5, 4]
    one_logit = {**state, 'rpn_head.rpn_cls.bias': torch.arange(3.0)}
    assert same(layouts.swap_objectness(one_logit), one_logit)


def test_another_epsilon_normalises_alike():
    var, x = torch.rand(4) + 1e-4, torch.randn(8, 4)
    state = layouts.as_if_eps({'bn.running_var': var, 'bn.weight': var}, 0.0)
    zeros, ones = torch.zeros(4), torch.ones(4)
    mine = torch.nn.functional.batch_norm(x, zeros, state['bn.running_var'], ones)
    torch.testing.assert_close(mine, x / var.sqrt())
    assert torch.equal(state['bn.weight'], var)
