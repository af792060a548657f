"""Configs and command lines that are not as they should be."""

from bad_input.kinds import Site, kind


@kind('a config that is not there', 'train', 'no such config file')
def no_config(site: Site):
    return [str(site.folder / 'a.py')]


@kind('a config that is not Python', 'train', 'not a config that can be read')
def no_python(site: Site):
    return [str(site.write('a.py', b'model = dict('))]


@kind('a part of a config', 'train', 'it is a part for other configs')
def part(site: Site):
    return [str(site.configs / '_base_/default_runtime.py')]


@kind('a component that nobody registered', 'train', "'ResNetC6' is not registered")
def no_component(site: Site):
    return site.train('model.backbone.type=ResNetC6')


@kind('a component that mmdet does not have', 'train',
      "'mmdet.ResNetC6' is not registered")
def no_component_of_mmdet(site: Site):
    return site.train('model.backbone.type=mmdet.ResNetC6')


@kind('a setting that a component does not have', 'train',
      "ResNetC4: .*unexpected keyword argument 'deepth'")
def no_setting(site: Site):
    return site.train('model.backbone.deepth=18')


@kind('an option without a value', 'train', 'takes KEY=VALUE')
def no_value(site: Site):
    return site.train('optim_wrapper.optimizer.lr')


@kind('an option that has no place', 'train', 'do not fit')
def no_place(site: Site):
    return site.train('train_dataloader.dataset.pipeline.77.prob=1')


@kind('`--max-iters 0`', 'train', 'must be at least 1')
def no_steps(site: Site):
    return site.train(iters=0)


@kind('`--amp` without a GPU, on a CPU without bfloat16', 'train',
      'needs a GPU, or')
def amp(site: Site):
    return site.train(before=('--amp',))


@kind('`--launcher pytorch` without torchrun', 'train', 'torchrun')
def launcher(site: Site):
    return site.train(before=('--launcher', 'pytorch'))


@kind('a work dir that is a file', 'train', 'work: .*a file')
def work_dir(site: Site):
    site.work.write_text('')
    return site.train()


@kind('a loss that becomes NaN', 'train', 'the batch, its losses and the weights')
def diverges(site: Site):
    return site.train('optim_wrapper.optimizer.lr=1e30', 'param_scheduler=[]', iters=9)


@kind('the same, with `train_cfg.non_finite=skip`', 'train',
      'more than train_cfg.max_skipped=2 skipped')
def diverges_on(site: Site):
    return site.train('optim_wrapper.optimizer.lr=1e30', 'param_scheduler=[]',
                      'model.backbone.norm_eval=True',
                      'train_cfg.non_finite=skip', 'train_cfg.max_skipped=2', iters=9)


@kind('`train_cfg.non_finite` that means nothing', 'train', 'is \'perhaps\'')
def perhaps(site: Site):
    return site.train('train_cfg.non_finite=perhaps')


@kind('`--out` with a suffix that mmdet does not write', 'test', 'as .pkl')
def out(site: Site):
    return site.test(site.trained(), before=('--out', 'a.json'))


@kind('a class that is given twice', 'train', 'given twice')
def twice(site: Site):
    arguments = site.train()
    arguments.insert(arguments.index('dog'), 'cat')
    return arguments


@kind('`--num 0`', 'make-proposals', 'it must be at least 1')
def num(site: Site):
    return ['--data-root', str(site.root), '--split', 'train', '--num', '0',
            '--out', str(site.folder / 'p.npz')]
