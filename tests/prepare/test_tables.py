"""Tables: CSV as tools and spreadsheets write them."""

import pytest
from labelled import BOX, picture, xml
from prepare.folders import edges_of, understood

from frcnn_plugin.errors import DataError
from frcnn_plugin.prepare.understand import understand


@pytest.mark.parametrize('text', [
    'filename;class;xmin;ymin;xmax;ymax\na.jpg;hündin;{};{};{};{}\n',
    'a.jpg,,,,,\na.jpg,{},{},{},{},hündin\n',
    'image,label,x,y,width,height\na.jpg,hündin,{0},{1},20,20\n'])
@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16', 'cp1252'])
def test_tables_as_spreadsheets_write_them(tmp_path, text, encoding):
    picture(tmp_path / 'a.jpg')
    (tmp_path / 'a.csv').write_bytes(text.format(*BOX).encode(encoding))
    ((name, *edges),) = edges_of(understood(tmp_path))
    assert name == 'hündin' and edges == pytest.approx(BOX)


@pytest.mark.parametrize('text', [
    'filename,xmin,ymin,width,height,class\na.jpg,{},{},20,20,dog\n',
    'image,x,y,w,h,label\na.jpg,{},{},20,20,dog\n',
    'a.jpg,{},{},{},{},dog,64,48\n',
    'filename,x,y,w,h,width,height,class\na.jpg,{},{},20,20,64,48,dog\n',
    'ImageID,XMin,XMax,YMin,YMax,label\na,0.15625,0.46875,0.16667,0.58333,dog\n',
    'filename,species,xmin,ymin,xmax,ymax\na.jpg,dog,{},{},{},{}\n',
    'id,image_id,file_name,class,class_name,xmin,ymin,xmax,ymax\n'
    '7,1,a.jpg,0,dog,{},{},{},{}\n'])
def test_columns_of_other_tables(tmp_path, text):
    picture(tmp_path / 'a.jpg')
    picture(tmp_path / '1.jpg', 1)
    (tmp_path / 'a.csv').write_text(text.format(*BOX))
    ((name, *edges),) = edges_of(understood(tmp_path))
    assert name == 'dog' and edges == pytest.approx(BOX, abs=0.01)


def test_a_header_that_is_not_understood(tmp_path):
    picture(tmp_path / 'a.jpg')
    (tmp_path / 'a.csv').write_text('bild,links,oben,b,h,art\na.jpg,10,8,20,20,dog\n')
    with pytest.raises(DataError):
        understand(tmp_path)


@pytest.mark.parametrize('text', [
    'image_id,width,height,bbox,source\na,64,48,"[{0}.0, {1}.0, 20.0, 20.0]",usask\n',
    ',image_id,bbox\n0,a,"[{0}.0, {1}.0, 20.0, 20.0]"\n1,b,"[20, 8, 10, 20]"\n',
    'filename,xmin,ymin,xmax,ymax\na.jpg,{},{},{},{}\n'])
def test_tables_without_classes(tmp_path, text):
    picture(tmp_path / 'a.jpg')
    picture(tmp_path / 'b.jpg', 1)
    (tmp_path / 'a.csv').write_text(text.format(*BOX))
    ((name, *edges),) = edges_of(understood(tmp_path))
    assert name == 'object' and edges == pytest.approx(BOX)


@pytest.mark.parametrize('text', [
    'filename,xmin,ymin,xmax,ymax,art\na.jpg,{},{},{},{},dog\n',
    'filename,xmin,ymin,xmax,ymax\na.jpg,{},{},{},{},dog\n',
    'filename,xmin,ymin,xmax,ymax,score\na.jpg,{},{},{},{},0.9\n',
    'image,label,bbox\na.jpg,dog,"[{}, {}, {}, {}]"\nb.jpg,dog,"[0, 0, 0, 0]"\n',
    'image,label,bbox,width,height\na.jpg,dog,"[{}, {}, 60, {}]",64,48\n'])
def test_ambiguous_tables(tmp_path, text):
    """The last column may be the classes, or a score; the boxes may be two corners."""
    picture(tmp_path / 'a.jpg')
    (tmp_path / 'a.csv').write_text(text.format(*BOX))
    with pytest.raises(DataError):
        understand(tmp_path)


def test_boxes_without_classes_beside_boxes_with_some(tmp_path):
    for seed, name in enumerate('ab'):
        picture(tmp_path / f'{name}.jpg', seed)
    xml(tmp_path / 'a.xml', 'a.jpg')
    (tmp_path / 'b.csv').write_text(
        'filename,xmin,ymin,xmax,ymax\nb.jpg,{},{},{},{}\n'.format(*BOX))
    found = understood(tmp_path)
    assert {item.name for each in found.pictures for item in each.objects} == {'dog'}


@pytest.mark.parametrize('attributes', ["{'kind': 'dog'}", 'dog', '[' * 50000])
def test_broken_cells_of_via(tmp_path, attributes):
    """Without its attributes a box would be an ``object`` among classes."""
    picture(tmp_path / 'a.jpg')
    (tmp_path / 'a.csv').write_text(
        ',#filename,file_size,region_count,region_shape_attributes,region_attributes\n'
        '0,a.jpg,9,2,"{""name"":""rect"",""x"":10,""y"":8,""width"":20,""height"":20}",'
        '"{""kind"":""dog""}"\n'
        '1,a.jpg,9,2,"{""name"":""rect"",""x"":1,""y"":2,""width"":9,""height"":9}",'
        f'"{attributes}"\n2\n,,,,,\n')
    found = understood(tmp_path)
    assert [name for name, *_ in edges_of(found)] == ['dog']
    assert [problem.reason for problem in found.account.left_boxes] == ['bad box']


def test_the_table_of_via(tmp_path):
    picture(tmp_path / 'a.jpg')
    picture(tmp_path / 'b.jpg', 1)
    x1, y1, *_ = BOX
    (tmp_path / 'via.csv').write_text(
        'filename,file_size,file_attributes,region_count,region_id,'
        'region_shape_attributes,region_attributes\n'
        f'a.jpg,9,"{{}}",1,0,"{{""name"":""rect"",""x"":{x1},""y"":{y1},""width"":20,'
        '""height"":20}","{""kind"":""dog""}"\n'
        'b.jpg,9,"{}",0,0,"{}","{}"\n')
    found = understood(tmp_path)
    ((name, *edges),) = edges_of(found, 'a')
    assert name == 'dog' and edges == pytest.approx(BOX)
    assert len(found.pictures) == 2 and found.formats == {'csv': 2}
