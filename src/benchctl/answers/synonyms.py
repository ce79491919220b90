"""Words that name the same thing: numbers in words, the two names of common drugs, the usual short forms.

Only what every clinician or pupil would take for the same answer is here. A synonym counts only where no option spells
the word itself, so a question that asks to tell two names apart is safe.
"""

from __future__ import annotations

import re
from functools import lru_cache

_NUMBERS = """
    0 zero cero; 1 one uno; 2 dois duas two dos ii; 3 tres three iii; 4 quatro four cuatro; 5 cinco five; 6 seis six;
    7 sete seven siete vii; 8 oito eight ocho viii; 9 nove nine nueve ix; 10 dez ten diez; 11 onze eleven once xi;
    12 doze twelve doce xii; 13 treze thirteen trece; 14 quatorze catorze fourteen catorce; 15 quinze fifteen quince;
    16 dezesseis dezasseis sixteen; 17 dezessete dezassete seventeen; 18 dezoito eighteen;
    19 dezenove dezanove nineteen;
    20 vinte twenty veinte; 30 trinta thirty treinta; 40 quarenta forty cuarenta; 50 cinquenta fifty cincuenta;
    60 sessenta sixty sesenta; 70 setenta seventy; 80 oitenta eighty ochenta; 90 noventa ninety noventa;
    100 cem hundred cien; 1000 mil thousand
"""
_NAMES = """
    epinefrina adrenalina epinephrine adrenaline; norepinefrina noradrenalina norepinephrine noradrenaline levophed;
    paracetamol acetaminofeno acetaminofen acetaminophen tylenol; dipirona metamizol metamizole novalgina;
    salbutamol albuterol aerolin; petidina meperidina pethidine meperidine; frusemida furosemida furosemide lasix;
    difenilhidantoina fenitoina phenytoin; rifampicina rifampin rifampicin; glibenclamida gliburida glyburide;
    lidocaina xilocaina xylocaine lignocaina lignocaine; vitamina+c ascorbico ascorbato;
    vitamina+a retinol; vitamina+e tocoferol; vitamina+k fitomenadiona;
    vitamina+d calciferol colecalciferol; vasopressina antidiuretico; tiroxina levotiroxina thyroxine levothyroxine;
    hemacia hemacias eritrocito eritrocitos; leucocito leucocitos; trombocito plaqueta trombocitos plaquetas;
    hanseniase lepra leprosy; calazar kalazar; catapora varicela chickenpox; caxumba parotidite mumps papeira;
    rubeola rubella; sarampo measles sarampion; tetano tetanus; raiva rabies hidrofobia;
    infarto enfarte infarction infarto; derrame avc ave stroke ictus; baco spleen bazo; figado liver higado;
    rim kidney rinon; coracao heart corazon; pulmao lung pulmon; estomago stomach; pele skin piel; onibus autocarro bus;
    trem comboio train; medula marrow; gripe influenza flu;
    escorbuto scurvy; hipotireoidismo hypothyroidism; hipertireoidismo hyperthyroidism; croup crupe crup;
    enxaqueca migranea migraine; epilepsia epilepsy; asma asthma; pneumonia neumonia;
    apendicite appendicitis apendicitis; gota gout;
    insulina insulin; heparina heparin; varfarina warfarina warfarin; naloxona naloxone; atropina atropine;
    soro suero; sarampo measles; malaria paludismo impaludismo maleita; ictericia jaundice; neoplasia cancer cancro;
    antibiotico antibioticos antimicrobiano antibiotic; antialergico antihistaminico; corticoide corticosteroide
    corticosteroides glicocorticoide; hipertensao hypertension; hipocalemia hipopotassemia hypokalemia;
    hipercalemia hiperpotassemia
    hiperkalemia hyperkalemia hyperkalaemia; hipocalcemia hypocalcemia; hipercalcemia hypercalcemia;
    hiponatremia hyponatremia; hipernatremia
    hypernatremia; acidose acidosis; alcalose alkalosis alcalosis; hepatite hepatitis; meningite meningitis;
    anemia anaemia;
    fazer fez fizeram faz fazem fazendo feito; dizer disse disseram diz dizendo; ver viu viram ve vendo;
    dar deu deram; trazer trouxe trouxeram;
    ter teve tiveram; querer quis quiseram; televisao tv tele; infantil crianca criancas;
    intussuscepcao invaginacao; constipacao obstipacao; prurido coceira comichao; edema inchaco; febre pirexia;
    sincope desmaio; pirose azia; rinorreia coriza; sifilis lues; escabiose sarna;
    tripanossomiase chagas; esquistossomose bilharziose; ascaridiase lombriga ascaris; pediculose piolho;
    tonsilite amigdalite; tonsila amigdala; escapula omoplata; patela rotula; ulnar cubital; fibula peronio;
    fibular peroneal peroneiro; hipofise pituitaria; suprarrenal adrenal; tuba trompa; paragem parada; rutura ruptura;
    alteplase rtpa; nitroglicerina trinitrina; haloperidol haldol; diazepam valium; fenobarbital gardenal;
    ocitocina oxitocina; levodopa ldopa; imunoglobulina gamaglobulina; desmopressina ddavp; clavulanato clavulanico;
    valproato valproico; telemovel celular; ecra tela; boleia carona; frigorifico geladeira; fato terno; sumo suco;
    prenda presente; cao cachorro cachorra; sorvete gelado; equipa equipe; morada endereco; avariar avaria avariou pifou
    quebrou enguicou; chuva choveu chovia chovendo; atraso atrasado atrasada atrasou atrasaram; faminto faminta fome;
    marido esposo; aluno estudante; mae mamae; pai papai; ladrao assaltante; chefe patrao;
    oxigenio o2 oxygen; regurgitacao insuficiencia; benzilpenicilina penicilina; supraespinal supraespinhoso
    supraespinoso supraspinatus;
    infraespinal infraespinhoso infraespinoso; aguardar aguardava aguardando esperar esperava esperando;
    cansado cansada exausto exausta esgotado esgotada; triste infeliz; feliz contente alegre;
    zangado zangada irritado irritada bravo brava; carro automovel; medo receio; dinheiro grana;
    tabagismo fumar cigarro fumo; cessacao parar deixar;
    atividade exercicio; computadorizada computorizada computed computarizada; folato folico
"""
_SHORT_FORMS = """
    aas = acido acetilsalicilico; aspirina = acido acetilsalicilico; aspirin = acido acetilsalicilico;
    iam = infarto agudo miocardio; eam = enfarte agudo miocardio; avc = acidente vascular cerebral;
    ave = acidente vascular encefalico; avc = acidente vascular encefalico; ave = acidente vascular cerebral;
    tvp = trombose venosa profunda; tep = tromboembolismo pulmonar; tep = embolia pulmonar;
    tromboembolismo = embolia; dpoc = doenca pulmonar obstrutiva cronica; has = hipertensao arterial sistemica;
    icc = insuficiencia cardiaca congestiva; icc = insuficiencia cardiaca; ic = insuficiencia cardiaca;
    dm = diabetes mellitus; dm2 = diabetes mellitus tipo 2; les = lupus eritematoso sistemico;
    lupus = lupus eritematoso sistemico; itu = infeccao trato urinario; itu = infeccao urinaria;
    drge = doenca refluxo gastroesofagico; tc = tomografia computadorizada; tac = tomografia computadorizada;
    ct = tomografia computadorizada; mri = ressonancia magnetica; vni = ventilacao nao invasiva;
    iot = intubacao orotraqueal; xr = radiografia; rm = ressonancia magnetica; rnm = ressonancia magnetica;
    usg = ultrassonografia;
    ecografia = ultrassonografia; ultrassom = ultrassonografia; ecg = eletrocardiograma; eeg = eletroencefalograma;
    rx = radiografia; raio+x = radiografia; pcr = proteina c reativa; hiv = virus imunodeficiencia humana;
    vih = hiv; hpv = papilomavirus humano; adh = hormonio antidiuretico; gh = hormonio crescimento;
    ieca = inibidor enzima conversora angiotensina; mgso = sulfato magnesio; nacl = cloreto sodio;
    igg = imunoglobulina+g; igm = imunoglobulina+m; iga = imunoglobulina+a; ige = imunoglobulina+e;
    ptt = tempo tromboplastina parcial; kptt = tempo tromboplastina parcial; piruvato = acido piruvico;
    lactato = acido latico; lactato = acido lactico; citrato = acido citrico; urato = acido urico;
    tp = tempo protrombina; inr = tempo protrombina; rni = tempo protrombina; lcr = liquor; liquor = liquido
    cefalorraquidiano; tce = traumatismo cranioencefalico; vhs = velocidade hemossedimentacao;
    pbe = peritonite bacteriana espontanea; cad = cetoacidose diabetica; sop = sindrome ovarios policisticos;
    hpp = hemorragia pos parto; dip = doenca inflamatoria pelvica; pac = pneumonia adquirida comunidade;
    sdra = sindrome desconforto respiratorio agudo; tdah = transtorno deficit atencao hiperatividade;
    toc = transtorno obsessivo compulsivo; tag = transtorno ansiedade generalizada; eda = endoscopia digestiva alta;
    hba1c = hemoglobina glicada; hba1c = hemoglobina glicosilada; ibp = inibidor bomba protons;
    isrs = inibidor seletivo recaptacao serotonina; nefrolitiase = calculo renal; colelitiase = calculo biliar;
    cefaleia = dor cabeca; dispneia = falta ar; epistaxe = sangramento nasal; cotrimoxazol = sulfametoxazol
    trimetoprima;
    benzetacil = penicilina benzatina; benzetacil = benzilpenicilina benzatina; pfc = plasma fresco congelado;
    nac = acetilcisteina; gardnerella = vaginose bacteriana; gardnerela = vaginose bacteriana;
    eritrocito = globulo vermelho; hemacia = globulo vermelho; leucocito = globulo branco;
    tiamina = vitamina b1; cobalamina = vitamina b12; piridoxina = vitamina b6; riboflavina = vitamina b2;
    niacina = vitamina b3; folato = acido folico; thiamine = vitamin b1; cobalamin = vitamin b12;
    pneumococo = streptococcus pneumoniae; pneumococcus = streptococcus pneumoniae;
    meningococo = neisseria meningitidis;
    gonococo = neisseria gonorrhoeae; bk = mycobacterium tuberculosis; hemofilo = haemophilus influenzae;
    estafilococo = staphylococcus aureus; treponema = treponema pallidum; toxoplasma = toxoplasma gondii;
    micoplasma = mycoplasma pneumoniae; klebsiela = klebsiella pneumoniae; legionela = legionella pneumophila;
    ach = acetilcolina; da = dopamina; t4 = tiroxina; t3 = triiodotironina; tsh = hormonio tireoestimulante; tsh =
    thyroid stimulating hormone;
    tsh = hormonio estimulante tireoide;
    pth = paratormonio;
    sf = soro fisiologico; sg = soro glicosado; rl = ringer lactato; ains = anti inflamatorio; aine = anti inflamatorio;
    basedow = doenca graves; trissomia+21 = sindrome down; mononucleose = mononucleose infecciosa;
    ela = esclerose lateral amiotrofica;
    em = esclerose multipla; ar = artrite reumatoide; oa = osteoartrite; tpsv = taquicardia supraventricular;
    fa = fibrilacao atrial;
    fv = fibrilacao ventricular; tv = taquicardia ventricular; bav = bloqueio atrioventricular;
    ira = insuficiencia renal aguda;
    lra = lesao renal aguda; irc = insuficiencia renal cronica; drc = doenca renal cronica;
    hda = hemorragia digestiva alta;
    dpp = descolamento prematuro placenta; pti = purpura trombocitopenica imune;
    lla = leucemia linfoblastica aguda; lma = leucemia mieloide aguda;
    llc = leucemia linfocitica cronica; lmc = leucemia mieloide cronica; rge = refluxo gastroesofagico;
    dii = doenca inflamatoria intestinal;
    vpn = valor preditivo negativo; vpp = valor preditivo positivo; ace = enzima conversora angiotensina;
    bb = betabloqueador; bra = bloqueador receptor angiotensina; hbpm = heparina baixo peso molecular;
    hnf = heparina nao fracionada;
    ubs = unidade basica saude; sus = sistema unico saude; acs = agente comunitario saude;
    oms = organizacao mundial saude;
    rcp = reanimacao cardiopulmonar; rcp = ressuscitacao cardiopulmonar; tb = tuberculose; gnv = gas natural
"""


def _groups(listing: str) -> dict[str, str]:
    """Map every word of ``a b; c d`` to the first word of its group."""
    found: dict[str, str] = {}
    for group in listing.split(";"):
        words = group.split()
        found |= {word: words[0] for word in words if word not in found}
    return found


def _expansions(listing: str) -> dict[str, tuple[tuple[str, ...], ...]]:
    found: dict[str, tuple[tuple[str, ...], ...]] = {}
    for line in listing.split(";"):
        short, _, long = line.partition("=")
        found[short.strip()] = (*found.get(short.strip(), ()), tuple(long.split()))
    return found


_SAME = _groups(_NUMBERS) | _groups(_NAMES)
_LONG = _expansions(_SHORT_FORMS)


def has_synonyms(word: str) -> bool:
    """Tell whether the table knows ``word``."""
    return word in _SAME or word in _LONG


def synonyms(one: str, other: str) -> bool:
    """Tell whether two different folded words name the same thing."""
    return one in _SAME and _SAME[one] == _SAME.get(other)


def long_forms(word: str) -> tuple[tuple[str, ...], ...]:
    """Return the phrases, as tuples of words, that the short form ``word`` stands for."""
    return _LONG.get(word, ())


_VERB_ENDING = re.compile(
    r"(?P<stem>.{3,}?)(?:aram|eram|iram|avam|aria|eria|iria|ando|endo|indo|ado|ada|ados|adas|ido|ida|idos|idas|acao|"
    r"amos|emos|imos|ava|ara|era|ira|iam|ou|eu|iu|ar|er|ir|am|em|ia|a|e|o)$"
)
_SURE_VERB = re.compile(r"(?:aram|eram|iram|avam|ando|endo|indo|ad[ao]s?|id[ao]s?|ou|eu|iu|ar|er|ir|ava|ara|era|acao)$")


def is_verb(word: str) -> bool:
    """Tell whether the ending of a folded word is one that only Portuguese verbs have."""
    return _SURE_VERB.search(word) is not None and not word.endswith(
        ("ado", "ada", "ados", "adas", "acao", "ido", "ida", "idos", "idas", "ara", "era", "ira")
    )


@lru_cache(maxsize=65536)
def same_verb(one: str, other: str) -> bool:
    """Tell whether two folded words are forms of one Portuguese verb ('perdido' and 'perdeu'), by their endings."""
    if one[:3] != other[:3] or not (_SURE_VERB.search(one) and _SURE_VERB.search(other)):
        return False
    first, second = _VERB_ENDING.fullmatch(one), _VERB_ENDING.fullmatch(other)
    return first is not None and second is not None and first["stem"] == second["stem"]
