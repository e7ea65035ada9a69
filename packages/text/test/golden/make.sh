#!/bin/sh
# Models of the original (Debian's fasttext 0.9.2), one per loss and kind of feature, with what it predicts: sh make.sh
set -e
cd "$(dirname "$0")"
train() { name=$1; shift; fasttext "$@" -input corpus.txt -output "$name" -thread 1 -verbose 0; }
train softmax supervised -dim 6 -epoch 200 -lr 1 -wordNgrams 2 -bucket 50
train hs supervised -dim 6 -epoch 200 -lr 1 -loss hs -minn 2 -maxn 4 -bucket 40
train ova supervised -dim 5 -epoch 200 -lr 1 -loss ova
train ns supervised -dim 4 -epoch 200 -lr 1 -loss ns -neg 2 -minCount 2
train sg skipgram -dim 7 -epoch 20 -minCount 1 -bucket 60 -neg 3
train cbow cbow -dim 6 -epoch 20 -minCount 2 -bucket 30 -loss hs -minn 0 -maxn 0
train quantized supervised -dim 5 -epoch 200 -lr 1 -wordNgrams 2 -bucket 300
fasttext quantize -input corpus.txt -output quantized -qnorm -cutoff 260 -dsub 2 -verbose 0
rm -f quantized.bin quantized.vec softmax.vec hs.vec ova.vec ns.vec
for file in softmax.bin hs.bin ova.bin ns.bin quantized.ftz; do fasttext predict-prob "$file" corpus.txt 3 > "${file%.*}.predict.txt"; done
sed 's/__label__[a-z]*//g' corpus.txt > texts.txt
for file in softmax.bin hs.bin sg.bin quantized.ftz; do fasttext print-sentence-vectors "$file" < texts.txt > "${file%.*}.sentences.txt"; done
rm texts.txt
for name in softmax sg cbow; do printf 'cat\nunknownword\n中文\n' | fasttext print-word-vectors "$name.bin" > "$name.words.txt"; done
for name in sg cbow; do
  echo cat | fasttext nn "$name.bin" 3 | sed 's/Query word? //g' > "$name.nn.txt"
  # it asks for ever at the end of the input
  echo 'cat dog park' | fasttext analogies "$name.bin" 3 | head -4 | sed '/^Loading/d; s/Query triplet (A - B + C)? //g' > "$name.analogies.txt"
done
